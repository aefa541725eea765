package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;

/// Clients that take their output late or slowly, and must get all of it and how it ended.
///
/// @param streams of whose container it is
record SlowReaders(StreamingNode streams) {

    private static final String V4 = "v4.channel.k8s.io";
    private static final String V5 = "v5.channel.k8s.io";

    /// More than a client's socket takes while nobody reads, and little enough for the server to be rid of at once.
    private static final int TAIL = 240_000;

    /// For this long nothing is read but pings are sent, longer than the server waits for a client to close.
    private static final int LATE_SECONDS = 8;

    /// More than the kernel keeps on both sides.
    private static final int MUCH = 16 << 20;

    private static final int PAUSES = 16;
    private static final long PAUSE_MILLIS = 250;

    private String output(int size) {
        return streams.exec("sh", "-c", "yes 0123456789abcde | head -c " + size + "; exit 7");
    }

    void lateOverSpdy() throws Exception {
        try (SpdyClient client = SpdyClient.connect(output(TAIL), V4)) {
            int error = client.open("error");
            int out = client.open("stdout");
            for (int i = 0; i < LATE_SECONDS; i++) {
                TimeUnit.SECONDS.sleep(1);
                client.ping();
            }

            assertThat(client.readAll(out)).hasSize(TAIL);
            assertThat(client.readAll(error)).contains("exit status 7");
            client.readToTheEnd();
        }
    }

    void lateOverWebSocket() throws Exception {
        try (WebSocketClient client = WebSocketClient.idle(output(TAIL), V5)) {
            for (int i = 0; i < LATE_SECONDS; i++) {
                TimeUnit.SECONDS.sleep(1);
                client.ping();
            }
            client.read();

            awaitAll(client, TAIL);
        }
    }

    private static void awaitAll(WebSocketClient client, int size) throws InterruptedException {
        int count = 0;
        byte[] message = client.next();
        for (; message[0] == 1; message = client.next()) {
            count += message.length - 1;
        }
        assertThat(count).isEqualTo(size);
        assertThat(message).startsWith(3).asString(UTF_8).contains("exit status 7");
        assertThat(client.next()).isEmpty();
    }

    void slowlyOverSpdy() throws Exception {
        try (SpdyClient client = SpdyClient.connect(output(MUCH), V4)) {
            int error = client.open("error");
            int out = client.open("stdout");
            for (int i = 1; i <= PAUSES; i++) {
                long wanted = (long) MUCH / PAUSES * i;
                client.readUntil(() -> client.received(out).count() >= wanted);
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            }

            assertThat(client.readAll(out)).isEqualTo("0123456789abcde\n".repeat(MUCH / 16));
            assertThat(client.readAll(error)).contains("exit status 7");
            client.readToTheEnd();
        }
    }

    void slowlyOverWebSocket() throws Exception {
        try (WebSocketClient client = WebSocketClient.slow(output(MUCH), V5, MUCH / PAUSES, PAUSE_MILLIS)) {
            awaitAll(client, MUCH);
        }
    }
}
