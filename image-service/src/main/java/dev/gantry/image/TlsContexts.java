package dev.gantry.image;

import dev.gantry.image.Endpoint.ClientKey;
import dev.gantry.image.Endpoint.Tls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// Makes the TLS side of an endpoint from its PEM files: the authorities it names are trusted besides those of the
/// JDK, and its client certificates are shown to servers that ask.
final class TlsContexts {

    private static final char[] NO_PASSWORD = new char[0];

    private TlsContexts() {}

    /// @throws ImageException.BadConfiguration naming the file that cannot be used
    static SSLContext of(Tls tls) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(keyStore(tls), NO_PASSWORD);
            TrustManager trust = tls.skipVerify() ? new TrustEverybody() : trustManager(authorities(tls));
            context.init(keys.getKeyManagers(), new TrustManager[] {trust}, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new ImageException.BadConfiguration("cannot set up TLS to a registry", e);
        }
    }

    private static KeyStore authorities(Tls tls) throws GeneralSecurityException, IOException {
        KeyStore store = empty();
        int count = 0;
        for (X509Certificate authority : trustManager(null).getAcceptedIssuers()) {
            store.setCertificateEntry("jdk-" + count++, authority);
        }
        for (Path file : tls.authorities()) {
            for (Certificate authority : certificates(file)) {
                store.setCertificateEntry("file-" + count++, authority);
            }
        }
        return store;
    }

    private static KeyStore keyStore(Tls tls) throws GeneralSecurityException, IOException {
        KeyStore store = empty();
        for (ClientKey pair : tls.clientKeys()) {
            Certificate[] chain = certificates(pair.certificate()).toArray(Certificate[]::new);
            store.setKeyEntry(pair.certificate().toString(), PrivateKeys.read(pair.key()), NO_PASSWORD, chain);
        }
        return store;
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    /// The manager over a store of authorities; null stands for those of the JDK.
    private static X509TrustManager trustManager(@Nullable KeyStore store) throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    private static List<Certificate> certificates(Path file) {
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            List<Certificate> certificates = new ArrayList<>();
            for (Pem block : Pem.read(file)) {
                if (block.label().equals("CERTIFICATE")) {
                    certificates.add(factory.generateCertificate(new ByteArrayInputStream(block.bytes())));
                }
            }
            if (certificates.isEmpty()) {
                throw new ImageException.BadConfiguration("no certificate in " + file, null);
            }
            return certificates;
        } catch (GeneralSecurityException e) {
            throw new ImageException.BadConfiguration("cannot read certificates from " + file, e);
        }
    }

    /// What `skip_verify` asks for: neither the chain nor the name is looked at.
    private static final class TrustEverybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
