package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Streams over TLS, with a certificate that the configuration names.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TlsStreamIT {

    private static final String V4 = "v4.channel.k8s.io";

    private final SSLContext before = defaults();
    private StreamingNode streams;

    private static SSLContext defaults() {
        try {
            return SSLContext.getDefault();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeAll
    void start(@TempDir Path directory) throws IOException, GeneralSecurityException {
        TestCertificate certificate = TestCertificate.make(directory);
        SSLContext.setDefault(certificate.trusted());
        streams = StreamingNode.start(ChildNode.create()
                .set("streaming.idle_timeout", "\"3s\"")
                .set("streaming.tls_certificate", ChildNode.quoted(certificate.file()))
                .set("streaming.tls_key", ChildNode.quoted(certificate.key())));
    }

    @AfterAll
    void close() throws IOException {
        SSLContext.setDefault(before);
        streams.close();
    }

    @Test
    void servesStreamsOverTls() throws Exception {
        String url = streams.address(streams.command("cat").setStdin(true));
        assertThat(url).startsWith("https://127.0.0.1:");
        try (SpdyClient client = SpdyClient.connect(url, V4)) {
            int error = client.open("error");
            int in = client.open("stdin");
            int out = client.open("stdout");
            client.send(in, "secret");
            client.end(in);

            assertThat(client.readAll(error)).contains("Success");
            assertThat(client.readAll(out)).isEqualTo("secret");
        }
    }

    @Test
    void aClientThatReadsLateOverSpdyMissesNothing() throws Exception {
        new SlowReaders(streams).lateOverSpdy();
    }

    @Test
    void aClientThatReadsLateOverWebSocketMissesNothing() throws Exception {
        new SlowReaders(streams).lateOverWebSocket();
    }

    @Test
    void aClientThatReadsSlowlyOverSpdyMissesNothing() throws Exception {
        new SlowReaders(streams).slowlyOverSpdy();
    }

    @Test
    void aClientThatReadsSlowlyOverWebSocketMissesNothing() throws Exception {
        new SlowReaders(streams).slowlyOverWebSocket();
    }

    @Test
    void clientsThatTakeNothingAreCutOff() throws Exception {
        try (SpdyClient spdy = SpdyClient.connect(streams.exec("yes", "spdy"), V4);
                WebSocketClient _ = WebSocketClient.idle(streams.exec("yes", "websocket"), V4)) {
            var _ = spdy.open("error");
            var _ = spdy.open("stdout");
            Thread pings = Thread.ofVirtual().start(spdy::keepPinging);
            await("their commands run").atMost(ChildNode.PATIENCE).until(() -> {
                String processes = processes();
                return processes.contains("yes spdy") && processes.contains("yes websocket");
            });

            await("their commands end")
                    .atMost(ChildNode.PATIENCE)
                    .until(() -> !processes().contains("yes "));
            assertThat(pings.join(ChildNode.PATIENCE)).isTrue();
        }
    }

    private String processes() {
        return streams.calls().shell(streams.container(), "ps");
    }
}
