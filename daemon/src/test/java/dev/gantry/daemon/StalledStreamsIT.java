package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Clients that hold a stream and do nothing with it, on a node that has few and little patience.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StalledStreamsIT {

    private static final int STREAMS = 4;
    private static final String V4 = "v4.channel.k8s.io";
    private static final String PORTS = "portforward.k8s.io";

    private StreamingNode streams;

    @BeforeAll
    void start() throws IOException {
        streams = StreamingNode.start(ChildNode.create()
                .set("streaming.idle_timeout", "\"5s\"")
                .set("streaming.max_streams", Integer.toString(STREAMS)));
    }

    @AfterAll
    void close() throws IOException {
        streams.close();
    }

    /// Sends until nothing goes any more, and takes nothing of what comes back.
    private static void flood(SpdyClient client, int stream) {
        byte[] piece = new byte[64 << 10];
        try {
            while (true) {
                client.send(stream, piece);
            }
        } catch (IOException _) {
            // The server has closed the connection.
        }
    }

    @Test
    void clientsThatTakeNothingAreCutOffAndMakeRoom() throws Exception {
        URI server = URI.create(streams.exec("true"));
        try (PodServer _ = PodServer.echo(streams.node(), streams.pod(), "127.0.0.1", 7000);
                Socket silent = new Socket(server.getHost(), server.getPort());
                SpdyClient spdy = SpdyClient.connect(streams.exec("yes", "spdy"), V4);
                WebSocketClient _ = WebSocketClient.idle(streams.exec("yes", "websocket"), V4);
                SpdyClient tunnel = new SpdyClient(
                        new TunnelTransport(StreamSocket.webSocket(streams.portForward(), "SPDY/3.1+" + PORTS)))) {
            var _ = spdy.open("error");
            var _ = spdy.open("stdout");
            var _ = tunnel.open(Map.of("streamtype", "error", "port", "7000", "requestid", "1"));
            int data = tunnel.open(Map.of("streamtype", "data", "port", "7000", "requestid", "1"));
            Thread flood = Thread.ofVirtual().start(() -> flood(tunnel, data));
            Thread pings = Thread.ofVirtual().start(spdy::keepPinging);
            assertThatThrownBy(() -> StreamSocket.webSocket(streams.exec("true"), V4))
                    .isInstanceOf(IOException.class);

            await("room for others").atMost(ChildNode.PATIENCE).until(this::hasRoom);
            await("their commands end")
                    .atMost(ChildNode.PATIENCE)
                    .until(() ->
                            !streams.calls().shell(streams.container(), "ps").contains("yes "));
            assertThat(flood.join(ChildNode.PATIENCE)).isTrue();
            assertThat(pings.join(ChildNode.PATIENCE)).isTrue();
            assertThat(silent.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void clientsThatDoNotOpenAllTheirStreamsAreNotWaitedForWhateverElseTheySend() throws Exception {
        try (SpdyClient command = SpdyClient.connect(streams.exec("true"), V4);
                SpdyClient ports = SpdyClient.connect(streams.portForward(), PORTS)) {
            var _ = command.open("error");
            int error = ports.open(Map.of("streamtype", "error", "port", "7000", "requestid", "1"));
            var _ = Thread.ofVirtual().start(command::keepPinging);
            var _ = Thread.ofVirtual().start(ports::keepPinging);

            assertThat(ports.readAll(error)).isEmpty();
            command.readToTheEnd();
        }
    }

    /// Whether all of the node's streams are to be had.
    private boolean hasRoom() throws IOException {
        List<StreamSocket> open = new ArrayList<>();
        try {
            for (int i = 0; i < STREAMS; i++) {
                open.add(StreamSocket.webSocket(streams.exec("sleep", "1"), V4));
            }
            return true;
        } catch (IOException _) {
            return false;
        } finally {
            for (StreamSocket socket : open) {
                socket.close();
            }
        }
    }
}
