package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ExecRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Streams over TLS, with a certificate that the configuration names.
@ExtendWith(DistributionRequired.class)
class TlsStreamIT {

    @TempDir
    private Path directory;

    @Test
    void servesStreamsOverTls() throws Exception {
        Path certificate = directory.resolve("tls.crt");
        Path key = directory.resolve("tls.key");
        var _ = ChildProgram.run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=streams",
                "-keyout",
                key.toString(),
                "-out",
                certificate.toString());
        SSLContext before = SSLContext.getDefault();
        SSLContext.setDefault(trusting(certificate));
        try (ChildNode node = ChildNode.create()
                .set("streaming.tls_certificate", ChildNode.quoted(certificate))
                .set("streaming.tls_key", ChildNode.quoted(key))
                .start()) {
            TestCalls calls = node.calls();
            String container = calls.run(calls.run(calls.pod("pod")), calls.sleeper("sleeper"));
            String url = node.client()
                    .runtime()
                    .exec(ExecRequest.newBuilder()
                            .setContainerId(container)
                            .addCmd("cat")
                            .setStdin(true)
                            .setStdout(true)
                            .build())
                    .getUrl();

            assertThat(url).startsWith("https://127.0.0.1:");
            try (SpdyClient client = SpdyClient.connect(url, "v4.channel.k8s.io")) {
                int error = client.open("error");
                int in = client.open("stdin");
                int out = client.open("stdout");
                client.send(in, "secret");
                client.end(in);

                assertThat(client.readAll(error)).contains("Success");
                assertThat(client.readAll(out)).isEqualTo("secret");
            }
        } finally {
            SSLContext.setDefault(before);
        }
    }

    private static SSLContext trusting(Path certificate) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null);
        try (InputStream in = Files.newInputStream(certificate)) {
            trusted.setCertificateEntry(
                    "streams", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
