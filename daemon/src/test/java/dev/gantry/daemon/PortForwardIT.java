package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.cri.runtime.v1.PortForwardRequest;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Port forwarding into a pod with a network of its own, spoken to by hand: SPDY, WebSocket, and one within the other.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PortForwardIT {

    private static final String PROTOCOL = "portforward.k8s.io";
    private static final int ECHO = 7000;
    private static final int ECHO_IPV6 = 7006;
    private static final int NOBODY = 7999;

    private ChildNode node;
    private TestCalls calls;
    private String pod;
    private PodServer server;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
        pod = calls.run(calls.pod("pod"));
        server = PodServer.echo(node, pod, "127.0.0.1", ECHO);
    }

    @AfterAll
    void close() throws IOException {
        server.close();
        node.close();
    }

    private String address(int... ports) {
        PortForwardRequest.Builder request = PortForwardRequest.newBuilder().setPodSandboxId(pod);
        for (int port : ports) {
            request.addPort(port);
        }
        return node.client().runtime().portForward(request.build()).getUrl();
    }

    /// The two streams of one connection.
    private record Pair(int error, int data) {

        static Pair open(SpdyClient client, int port, int request) throws IOException {
            return new Pair(open(client, "error", port, request), open(client, "data", port, request));
        }

        private static int open(SpdyClient client, String type, int port, int request) throws IOException {
            return client.open(
                    Map.of("streamtype", type, "port", Integer.toString(port), "requestid", Integer.toString(request)));
        }
    }

    private static void echoes(SpdyClient client, int port) throws IOException {
        Pair first = Pair.open(client, port, 1);
        Pair second = Pair.open(client, port, 2);
        client.send(first.data(), "first");
        client.send(second.data(), "second");

        client.readUntil(() -> client.received(first.data()).text().equals("first")
                && client.received(second.data()).text().equals("second"));

        client.end(first.data());
        assertThat(client.readAll(first.data())).isEqualTo("first");
        assertThat(client.readAll(first.error())).isEmpty();
        client.send(second.data(), " more");
        client.readUntil(() -> client.received(second.data()).text().equals("second more"));
        client.reset(second.data());
        assertThat(client.readAll(second.error())).isEmpty();
    }

    @Test
    void forwardsSeveralConnectionsOverSpdy() throws Exception {
        try (SpdyClient client = SpdyClient.connect(address(), PROTOCOL)) {
            echoes(client, ECHO);
        }
    }

    @Test
    void triesIpv6WhenNobodyListensOnIpv4() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/net/if_inet6")), "skipped: this kernel has no IPv6");
        try (PodServer _ = PodServer.echo(node, pod, "::1", ECHO_IPV6);
                SpdyClient client = SpdyClient.connect(address(), PROTOCOL)) {
            echoes(client, ECHO_IPV6);
        }
    }

    @Test
    void tellsThatNobodyListensAndGoesOn() throws Exception {
        try (SpdyClient client = SpdyClient.connect(address(), PROTOCOL)) {
            Pair pair = Pair.open(client, NOBODY, 9);

            assertThat(client.readAll(pair.error())).contains("cannot connect to port " + NOBODY);
            assertThat(client.readAll(pair.data())).isEmpty();
            echoes(client, ECHO);
        }
    }

    @Test
    void pairsStreamsWithoutRequestIds() throws Exception {
        try (SpdyClient client = SpdyClient.connect(address())) {
            int error = client.open(Map.of("streamtype", "error", "port", "" + ECHO));
            int data = client.open(Map.of("streamtype", "data", "port", "" + ECHO));
            client.send(data, "old");
            client.end(data);

            assertThat(client.readAll(data)).isEqualTo("old");
            assertThat(client.readAll(error)).isEmpty();
        }
    }

    @Test
    void refusesPortsThatAreNone() throws Exception {
        try (SpdyClient client = SpdyClient.connect(address(), PROTOCOL)) {
            for (String port : new String[] {"0", "65536", "-1", "http", ""}) {
                assertThat(client.isRefused(client.open(Map.of("streamtype", "data", "port", port, "requestid", "1"))))
                        .isTrue();
            }
        }
        assertThat(TestCalls.refused(Status.Code.INVALID_ARGUMENT, () -> address(70_000)))
                .contains("70000");
    }

    @Test
    void refusesMoreConnectionsThanItsBoundUntilSomeAreOver() throws Exception {
        try (SpdyClient client = SpdyClient.connect(address(), PROTOCOL)) {
            Pair first = Pair.open(client, ECHO, 1);
            for (int request = 2; request <= 256; request++) {
                assertThat(client.isRefused(Pair.open(client, "error", ECHO, request)))
                        .isFalse();
            }
            assertThat(client.isRefused(Pair.open(client, "error", ECHO, 257))).isTrue();

            client.reset(first.data());
            assertThat(client.readAll(first.error())).isEmpty();
            assertThat(client.isRefused(Pair.open(client, "error", ECHO, 258))).isFalse();
        }
    }

    @Test
    void clientsThatAreCutOffLeaveNothing() throws Exception {
        abandon(3);
        Holdings before = Holdings.settled(node);

        abandon(40);

        before.awaitNoMore(node);
    }

    /// Three clients each time, one for each way, while data flows.
    private void abandon(int times) throws IOException {
        byte[] much = new byte[100 << 10];
        for (int i = 0; i < times; i++) {
            try (SpdyClient spdy = SpdyClient.connect(address(), PROTOCOL);
                    SpdyClient tunnel = new SpdyClient(
                            new TunnelTransport(StreamSocket.webSocket(address(), "SPDY/3.1+" + PROTOCOL)));
                    WebSocketClient channels = new WebSocketClient(address(ECHO), "v4.channel.k8s.io")) {
                spdy.send(Pair.open(spdy, ECHO, 1).data(), much);
                tunnel.send(Pair.open(tunnel, ECHO, 1).data(), much);
                channels.send(0, much);
            }
        }
    }

    @Test
    void tunnelsSpdyThroughWebSocket() throws Exception {
        String protocol = "SPDY/3.1+" + PROTOCOL;
        try (StreamSocket socket = StreamSocket.webSocket(address(), protocol);
                SpdyClient client = new SpdyClient(new TunnelTransport(socket))) {
            assertThat(socket.status()).as(socket.answer()).isEqualTo(101);
            assertThat(socket.answer()).containsIgnoringCase("Sec-WebSocket-Protocol: " + protocol);
            echoes(client, ECHO);
        }
    }

    @Test
    void forwardsOverWebSocketChannels() throws Exception {
        for (String protocol : new String[] {"v4.channel.k8s.io", "v4.base64.channel.k8s.io"}) {
            try (WebSocketClient client =
                    new WebSocketClient(address() + "?port=" + ECHO + "&port=" + NOBODY, protocol)) {
                for (int channel = 0; channel < 4; channel++) {
                    int port = channel < 2 ? ECHO : NOBODY;
                    assertThat(client.next()).containsExactly(channel, port & 0xff, port >> 8);
                }
                client.send(0, "there");

                assertThat(client.readUntil(0, "there")).isEqualTo("there");
            }
        }
    }

    @Test
    void takesThePortsOfTheRequestToo() throws Exception {
        try (WebSocketClient client = new WebSocketClient(address(NOBODY), "v4.channel.k8s.io")) {
            assertThat(client.next()).containsExactly(0, NOBODY & 0xff, NOBODY >> 8);
            assertThat(client.readAll(1)).endsWith("Connection refused: /[0:0:0:0:0:0:0:1]:" + NOBODY);
        }
    }
}
