package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.gantry.cri.oci.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Docker's registry with each way of authentication, and over TLS; the tokens are really signed, and really verified.
class AuthenticationIT {

    private static final TestImage IMAGE =
            TestImage.of(new TestLayer().file("f", "content").gzip());
    /// `me:secret`, hashed with bcrypt.
    private static final String HTPASSWD = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

    @TempDir
    private Path directory;

    @BeforeEach
    void fill() throws IOException {
        try (LocalRegistry open = LocalRegistry.start(directory);
                RegistryClient client = new RegistryClient(open.host())) {
            client.push("a/b", "1", IMAGE);
        }
    }

    private void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private static PullOptions options(String host, Credentials credentials) {
        return PullOptions.of(Reference.parse(host + "/a/b:1"), credentials);
    }

    @Test
    void showsNameAndPassword() throws Exception {
        Files.writeString(directory.resolve("htpasswd"), HTPASSWD);
        String auth = "auth: {htpasswd: {realm: test, path: \"%s\"}}".formatted(directory.resolve("htpasswd"));
        try (LocalRegistry registry = LocalRegistry.start(directory, "", auth);
                TestNode node = new TestNode(directory.resolve("node"))) {
            for (Credentials wrong : List.of(Credentials.NONE, Credentials.basic("me", "guess"))) {
                assertThatThrownBy(() -> node.images.pull(options(registry.host(), wrong)))
                        .isInstanceOf(ImageException.Unauthenticated.class)
                        .hasMessageContaining(registry.host() + "/a/b:1")
                        .hasMessageNotContaining("guess");
            }
            Credentials elsewhere = new Credentials("me", "secret", "", "", "quay.io");
            assertThatThrownBy(() -> node.images.pull(options(registry.host(), elsewhere)))
                    .isInstanceOf(ImageException.Unauthenticated.class);

            Credentials right = new Credentials("me", "secret", "", "", registry.host());
            assertThat(node.images.pull(options(registry.host(), right)).id()).isEqualTo(IMAGE.id());
        }
    }

    @Test
    void takesCredentialsFromTheHostsFile() throws Exception {
        Files.writeString(directory.resolve("htpasswd"), HTPASSWD);
        String auth = "auth: {htpasswd: {realm: test, path: \"%s\"}}".formatted(directory.resolve("htpasswd"));
        try (LocalRegistry registry = LocalRegistry.start(directory, "", auth);
                TestNode node = new TestNode(directory.resolve("node"))) {
            Path folder = Files.createDirectories(node.certs.resolve("_default"));
            Files.writeString(
                    folder.resolve("hosts.toml"),
                    "[host.\"http://%s\"]\nusername = \"me\"\npassword = \"secret\"\n".formatted(registry.host()));

            assertThat(node.images
                            .pull(options("images.example", Credentials.NONE))
                            .id())
                    .isEqualTo(IMAGE.id());
        }
    }

    @Test
    void getsATokenAndKeepsIt() throws Exception {
        run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=tokens",
                "-keyout",
                "token.key",
                "-out",
                "token.crt");
        try (TokenServer tokens = new TokenServer(directory);
                LocalRegistry registry = LocalRegistry.start(directory, "", tokens.registryConfiguration());
                TestNode node = new TestNode(directory.resolve("node"))) {
            assertThatThrownBy(() -> node.images.pull(options(registry.host(), Credentials.basic("me", "guess"))))
                    .isInstanceOf(ImageException.Unauthenticated.class)
                    .hasMessageContaining(registry.host() + "/a/b:1")
                    .hasMessageNotContaining("guess");
            tokens.requests.clear();

            Image image = node.images.pull(options(registry.host(), Credentials.basic("me", "secret")));

            assertThat(image.id()).isEqualTo(IMAGE.id());
            assertThat(tokens.requests).hasSize(1);
            assertThat(tokens.requests.getFirst())
                    .startsWith("GET ")
                    .contains("scope=repository:a/b:pull", "service=test");
        }
    }

    @Test
    void changesAnIdentityTokenIntoOthersAndUsesARegistryTokenAsItIs() throws Exception {
        run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=tokens",
                "-keyout",
                "token.key",
                "-out",
                "token.crt");
        try (TokenServer tokens = new TokenServer(directory);
                LocalRegistry registry = LocalRegistry.start(directory, "", tokens.registryConfiguration());
                TestNode node = new TestNode(directory.resolve("node"))) {
            Credentials identity = new Credentials("", "", "refresh-me", "", "");
            assertThat(node.images.pull(options(registry.host(), identity)).id())
                    .isEqualTo(IMAGE.id());
            assertThat(tokens.requests).hasSize(1).allMatch(request -> request.startsWith("POST "));

            Credentials direct = new Credentials("", "", "", tokens.token(), "");
            assertThat(node.images.pull(options(registry.host(), direct)).id()).isEqualTo(IMAGE.id());
            assertThat(tokens.requests).hasSize(1);
        }
    }

    @Test
    void trustsTheAuthorityOfTheHostsFileAndNoOther() throws Exception {
        run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=registry",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                "tls.key",
                "-out",
                "tls.crt");
        run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=client",
                "-keyout",
                "pkcs8.key",
                "-out",
                "client.crt");
        run("openssl", "rsa", "-in", "pkcs8.key", "-traditional", "-out", "client.key");
        String tls = "tls: {certificate: \"%1$s/tls.crt\", key: \"%1$s/tls.key\", clientcas: [\"%1$s/client.crt\"]}"
                .formatted(directory);
        try (LocalRegistry registry = LocalRegistry.start(directory, tls, "");
                TestNode node = new TestNode(directory.resolve("node"))) {
            Path folder = Files.createDirectories(node.certs.resolve(registry.host()));
            Path file = folder.resolve("hosts.toml");
            String client = "client = [[\"%1$s/client.crt\", \"%1$s/client.key\"]]\n".formatted(directory);
            String server = "server = \"https://%s\"\n".formatted(registry.host());

            Files.writeString(file, server + client);
            assertThatThrownBy(() -> node.images.pull(options(registry.host(), Credentials.NONE)))
                    .isInstanceOf(ImageException.RegistryUnavailable.class)
                    .hasMessageContaining(registry.host());

            Files.writeString(file, server + client + "ca = \"%s/tls.crt\"\n".formatted(directory));
            assertThat(node.images
                            .pull(options(registry.host(), Credentials.NONE))
                            .id())
                    .isEqualTo(IMAGE.id());

            Files.writeString(file, server + client + "skip_verify = true\n");
            assertThat(node.images
                            .pull(options(registry.host(), Credentials.NONE))
                            .id())
                    .isEqualTo(IMAGE.id());

            Files.writeString(file, server + "skip_verify = true\n");
            assertThatThrownBy(() -> node.images.pull(options(registry.host(), Credentials.NONE)))
                    .isInstanceOf(ImageException.RegistryUnavailable.class);
        }
    }

    /// Signs tokens for `me:secret` and for a refresh token (distribution's token specification).
    private static final class TokenServer implements AutoCloseable {

        private final HttpServer server;
        private final Path directory;
        private final PrivateKey key;
        private final String certificate;
        final List<String> requests = new CopyOnWriteArrayList<>();

        TokenServer(Path directory) throws IOException, GeneralSecurityException {
            this.directory = directory;
            byte[] pkcs8 = Pem.read(directory.resolve("token.key")).getFirst().bytes();
            key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            byte[] der = Pem.read(directory.resolve("token.crt")).getFirst().bytes();
            certificate = Base64.getEncoder().encodeToString(der);
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/token", this::answer);
            server.start();
        }

        String registryConfiguration() {
            return "auth: {token: {realm: \"http://127.0.0.1:%d/token\", service: test, issuer: me, rootcertbundle: \"%s\"}}"
                    .formatted(server.getAddress().getPort(), directory.resolve("token.crt"));
        }

        private void answer(HttpExchange exchange) throws IOException {
            try (exchange) {
                String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
                String asked = exchange.getRequestURI() + " " + body;
                requests.add(exchange.getRequestMethod() + " " + URLDecoder.decode(asked, StandardCharsets.UTF_8));
                String authorization = exchange.getRequestHeaders().getFirst("Authorization");
                boolean known = Credentials.basic("me", "secret").basicHeader().equals(authorization)
                        || Arrays.asList(body.split("&", -1)).contains("refresh_token=refresh-me");
                if (!known) {
                    FakeRegistry.reply(exchange, 401, "application/json", "{}");
                    return;
                }
                Map<String, String> answer = Map.of(body.isEmpty() ? "token" : "access_token", token());
                FakeRegistry.reply(
                        exchange, 200, "application/json", new String(Json.write(answer), StandardCharsets.UTF_8));
            } catch (GeneralSecurityException e) {
                throw new IOException(e);
            }
        }

        String token() throws GeneralSecurityException {
            long now = Instant.now().getEpochSecond();
            Map<String, Object> header = new LinkedHashMap<>();
            header.put("typ", "JWT");
            header.put("alg", "RS256");
            header.put("x5c", List.of(certificate));
            Map<String, Object> claims = new LinkedHashMap<>();
            claims.put("iss", "me");
            claims.put("aud", "test");
            claims.put("sub", "me");
            claims.put("nbf", now - 60);
            claims.put("exp", now + 300);
            claims.put("access", List.of(Map.of("type", "repository", "name", "a/b", "actions", List.of("pull"))));
            String signed = part(Json.write(header)) + "." + part(Json.write(claims));
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key);
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + part(signature.sign());
        }

        private static String part(byte[] bytes) {
            return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }
}
