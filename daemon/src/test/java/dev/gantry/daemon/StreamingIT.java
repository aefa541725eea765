package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.AttachRequest;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Exec and attach over the streaming server, spoken to by hand.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StreamingIT {

    private static final String V4 = "v4.channel.k8s.io";

    private StreamingNode streams;
    private ChildNode node;
    private TestCalls calls;
    private String pod;
    private String container;

    @BeforeAll
    void start() throws IOException {
        String shim = shim();
        node = ChildNode.create();
        if (!shim.isEmpty()) {
            node.set("runtime.handlers.runc.shim", '"' + shim + '"');
        }
        streams = StreamingNode.start(node);
        calls = streams.calls();
        pod = streams.pod();
        container = streams.container();
    }

    /// Empty for the one of the distribution; or the tests are skipped with a reason.
    String shim() {
        return "";
    }

    @AfterAll
    void close() throws IOException {
        if (node != null) { // else skipped
            node.close();
        }
    }

    private String attach(String id, boolean stdin) {
        return node.client()
                .runtime()
                .attach(AttachRequest.newBuilder()
                        .setContainerId(id)
                        .setStdin(stdin)
                        .setStdout(true)
                        .build())
                .getUrl();
    }

    @Test
    void keepsTheStreamsApartAndTellsTheExitCode() throws Exception {
        String url = streams.address(
                streams.command("sh", "-c", "echo out; echo err >&2; exit 7").setStderr(true));
        try (SpdyClient client = SpdyClient.connect(url, "v5.channel.k8s.io", V4, "channel.k8s.io")) {
            int error = client.open("error");
            int out = client.open("stdout");
            int err = client.open("stderr");

            assertThat(client.readAll(error))
                    .contains("\"status\":\"Failure\"", "\"reason\":\"NonZeroExitCode\"")
                    .contains("\"reason\":\"ExitCode\"", "\"message\":\"7\"");
            assertThat(client.readAll(out)).isEqualTo("out\n");
            assertThat(client.readAll(err)).isEqualTo("err\n");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "v4.channel.k8s.io, true",
        "v3.channel.k8s.io, false",
        "v2.channel.k8s.io, false",
        "channel.k8s.io, false"
    })
    void speaksEachVersionOverSpdy(String version, boolean json) throws Exception {
        try (SpdyClient client = SpdyClient.connect(streams.address(streams.command("sh", "-c", "exit 3")), version)) {
            int error = client.open("error");
            int out = client.open("stdout");

            String message = client.readAll(error);
            assertThat(message).contains("exit status 3");
            assertThat(message.startsWith("{")).isEqualTo(json);
            assertThat(client.readAll(out)).isEmpty();
        }
    }

    @Test
    void endsTheInputWithTheClientsHalfOfTheStream() throws Exception {
        byte[] much = new byte[3 << 20];
        new Random(7).nextBytes(much);
        try (SpdyClient client =
                SpdyClient.connect(streams.address(streams.command("cat").setStdin(true)), V4)) {
            int error = client.open("error");
            int in = client.open("stdin");
            int out = client.open("stdout");
            CompletableFuture<Void> sending = sending(client, in, much);

            var _ = client.readAll(out);

            assertThat(client.received(out).bytes()).isEqualTo(much);
            assertThat(client.readAll(error)).contains("Success");
            assertThat(sending).succeedsWithin(ChildNode.PATIENCE);
        }
    }

    private static CompletableFuture<Void> sending(SpdyClient client, int stream, byte[] bytes) {
        return CompletableFuture.runAsync(() -> {
            try {
                for (int from = 0; from < bytes.length; from += 32 << 10) {
                    client.send(stream, Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + (32 << 10))));
                }
                client.end(stream);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    @Test
    void resizesATerminal() throws Exception {
        String url = streams.address(
                streams.command("sh", "-c", "while [ \"$(stty size)\" != '33 111' ]; do sleep 0.1; done; stty size")
                        .setStdin(true)
                        .setTty(true));
        try (SpdyClient client = SpdyClient.connect(url, V4)) {
            int error = client.open("error");
            var _ = client.open("stdin");
            int out = client.open("stdout");
            int resize = client.open("resize");
            client.send(resize, "{\"Width\":80,\"Height\":24}{\"Width\":111,");
            client.send(resize, "\"Height\":33}");

            assertThat(client.readAll(error)).contains("Success");
            assertThat(client.readAll(out)).endsWith("33 111\r\n");
        }
    }

    @Test
    void resizesTheTerminalOfAContainer() throws Exception {
        ContainerConfig.Builder config = calls.container(
                "tty", "sh", "-c", "while [ \"$(stty size)\" != '44 122' ]; do sleep 0.1; done; read x; stty size");
        String id = calls.run(pod, config.setStdin(true).setTty(true));
        AttachRequest.Builder request = AttachRequest.newBuilder()
                .setContainerId(id)
                .setStdin(true)
                .setStdout(true)
                .setTty(true);
        String url = node.client().runtime().attach(request.build()).getUrl();
        try (WebSocketClient client = new WebSocketClient(url, "v5.channel.k8s.io")) {
            client.send(4, "{\"Width\":122,\"Height\":44}");
            client.send(0, "go\n");

            assertThat(client.readAll(1)).endsWith("44 122\r\n");
        }
    }

    @Test
    void refusesStreamsThatWereNotAskedFor() throws Exception {
        try (SpdyClient client = SpdyClient.connect(streams.address(streams.command("true")), V4)) {
            assertThat(client.isRefused(client.open("stdin"))).isTrue();
            assertThat(client.isRefused(client.open("nonsense"))).isTrue();
            assertThat(client.isRefused(client.open("error"))).isFalse();
            assertThat(client.isRefused(client.open("error"))).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'', false",
        "channel.k8s.io, false",
        "base64.channel.k8s.io, false",
        "v2.channel.k8s.io, false",
        "v2.base64.channel.k8s.io, false",
        "v3.channel.k8s.io, false",
        "v3.base64.channel.k8s.io, false",
        "v4.channel.k8s.io, true",
        "v4.base64.channel.k8s.io, true",
        "v5.channel.k8s.io, true",
        "v5.base64.channel.k8s.io, true"
    })
    void speaksEachVersionOverWebSocket(String protocol, boolean json) throws Exception {
        String url = streams.address(
                streams.command("sh", "-c", "read x; echo got $x; exit 5").setStdin(true));
        try (WebSocketClient client = new WebSocketClient(url, protocol)) {
            assertThat(client.protocol()).isEqualTo(protocol);
            client.send(0, "it\n");

            assertThat(client.readUntil(1, "\n")).isEqualTo("got it\n");
            String error = client.readAll(3);
            assertThat(error).contains("exit status 5");
            assertThat(error.startsWith("{")).isEqualTo(json);
        }
    }

    @Test
    void endsTheInputByAMessageInVersionFive() throws Exception {
        String url =
                streams.address(streams.command("sh", "-c", "cat; echo over").setStdin(true));
        try (WebSocketClient client = new WebSocketClient(url, "v5.channel.k8s.io")) {
            client.send(0, "one ");
            client.send(0, "two ");
            client.end(0);

            assertThat(client.readUntil(1, "over")).isEqualTo("one two over\n");
            assertThat(client.readAll(3)).contains("Success");
        }
    }

    @Test
    void tellsWhatCannotBeStarted() throws Exception {
        try (SpdyClient client = SpdyClient.connect(streams.address(streams.command("/no/such/program")), V4)) {
            int error = client.open("error");
            var _ = client.open("stdout");

            assertThat(client.readAll(error)).contains("\"Failure\"", "/no/such/program");
        }
    }

    @Test
    void anAddressWorksOnce() throws Exception {
        String url = streams.address(streams.command("true"));
        try (StreamSocket wrong = StreamSocket.spdy(url, List.of("v9.channel.k8s.io"));
                StreamSocket first = StreamSocket.spdy(url, List.of(V4));
                StreamSocket second = StreamSocket.spdy(url, List.of(V4));
                StreamSocket other = StreamSocket.spdy(url.replace("/exec/", "/attach/"), List.of(V4))) {
            assertThat(wrong.status()).isEqualTo(403);
            assertThat(wrong.answer()).containsIgnoringCase("X-Accepted-Stream-Protocol-Versions: " + V4);
            assertThat(first.status()).isEqualTo(101);
            assertThat(second.status()).isEqualTo(404);
            assertThat(other.status()).isEqualTo(404);
        }
    }

    @Test
    void refusesWhatMakesNoSense() {
        String ended = calls.run(pod, calls.container("ended", "true"));
        var _ = calls.exited(ended);

        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> streams.address(streams.command("sh").setTty(true).setStderr(true))))
                .contains("stderr");
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> streams.address(streams.command())))
                .contains("no command");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> streams.address(streams.command("sh").setStdout(false))))
                .contains("at least one");
        assertThat(refused(
                        Status.Code.NOT_FOUND,
                        () -> streams.address(streams.command("sh").setContainerId("nothing"))))
                .contains("nothing");
        assertThat(refused(
                        Status.Code.FAILED_PRECONDITION,
                        () -> streams.address(streams.command("sh").setContainerId(ended))))
                .contains(ended);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> attach(ended, false)))
                .contains(ended);
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
    void aSlowClientHoldsUpNeitherTheLogNorOthers() throws Exception {
        int rounds = 100;
        int lines = 4000;
        ContainerConfig.Builder config = calls.container(
                "loud", "sh", "-c", "while read x; do yes 0123456789abcdef | head -n " + lines + "; done; echo done");
        config.setStdin(true).setStdinOnce(true);
        String loud = calls.run(pod, config);
        try (SpdyClient slow = SpdyClient.connect(attach(loud, false), V4);
                SpdyClient quick = SpdyClient.connect(attach(loud, true), V4)) {
            var _ = slow.open("error");
            var _ = slow.open("stdout");
            int error = quick.open("error");
            int in = quick.open("stdin");
            int out = quick.open("stdout");
            // Never so far behind that it would be detached.
            for (int i = 1; i <= rounds; i++) {
                long wanted = 17L * lines * i;
                quick.send(in, "go\n");
                quick.readUntil(() -> quick.received(out).count() >= wanted);
            }
            quick.end(in);

            assertThat(quick.readAll(error)).contains("Success");
            assertThat(calls.exited(loud).getExitCode()).isZero();
            assertThat(calls.output(loud)).hasSize(rounds * lines + 1).endsWith("done");
            assertThat(quick.readAll(out).lines()).isEqualTo(calls.output(loud));
        }
    }

    @Test
    void stdinOnceEndsWithTheFirstClientAndElseStaysOpen() throws Exception {
        String[] command = {"sh", "-c", "while read x; do echo got $x; done; echo over"};
        ContainerConfig.Builder once =
                calls.container("once", command).setStdin(true).setStdinOnce(true);
        ContainerConfig.Builder open = calls.container("open", command).setStdin(true);
        String first = calls.run(pod, once);
        String second = calls.run(pod, open);

        for (String id : List.of(first, second)) {
            try (SpdyClient client = SpdyClient.connect(attach(id, true), V4)) {
                var _ = client.open("error");
                int in = client.open("stdin");
                int out = client.open("stdout");
                client.send(in, "one\n");
                client.readUntil(() -> client.received(out).text().contains("got one\n"));
                client.end(in);
            }
        }
        try (SpdyClient client = SpdyClient.connect(attach(second, true), V4)) {
            var _ = client.open("error");
            int in = client.open("stdin");
            int out = client.open("stdout");
            client.send(in, "two\n");
            client.readUntil(() -> client.received(out).text().contains("got two\n"));
        }

        assertThat(calls.exited(first).getExitCode()).isZero();
        assertThat(calls.output(first)).containsExactly("got one", "over");
        assertThat(calls.output(second)).containsExactly("got one", "got two");
    }

    @Test
    void aCommandWhoseClientIsGoneIsHungUpOn() throws Exception {
        try (SpdyClient client = SpdyClient.connect(streams.address(streams.command("sleep", "54321")), V4)) {
            var _ = client.open("error");
            var _ = client.open("stdout");
            await().atMost(ChildNode.PATIENCE)
                    .until(() -> calls.shell(container, "ps").contains("sleep 54321"));
        }

        await().atMost(ChildNode.PATIENCE)
                .until(() -> !calls.shell(container, "ps").contains("sleep 54321"));
    }

    @Test
    void clientsThatComeAndAreCutOffLeaveNothing() throws Exception {
        String held = calls.run(
                pod,
                calls.container("held", "sh", "-c", "while :; do echo tick; sleep 0.1; done")
                        .setStdin(true));
        abandon(held, 20);
        Holdings before = Holdings.settled(node);

        abandon(held, 1000);

        before.awaitNoMore(node);
        assertThat(node.processes()).hasSizeLessThan(20);
    }

    /// Half of them attach and go while data flows both ways, some of these over WebSocket, a few run a command, the
    /// rest break off at the start.
    private void abandon(String id, int times) throws IOException {
        List<SpdyClient> clients = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            if (i % 10 == 0) {
                StreamSocket.webSocket(attach(id, true), "v5.channel.k8s.io").abort();
            } else if (i % 2 == 0) {
                SpdyClient client = SpdyClient.connect(attach(id, true), V4);
                var _ = client.open("error");
                int in = client.open("stdin");
                var _ = client.open("stdout");
                client.send(in, new byte[100 << 10]);
                clients.add(client);
            } else if (i % 50 == 1) {
                SpdyClient client = SpdyClient.connect(
                        streams.address(
                                streams.command("sh", "-c", "cat; sleep 1000").setStdin(true)),
                        V4);
                var _ = client.open("error");
                var _ = client.open("stdin");
                var _ = client.open("stdout");
                clients.add(client);
            } else {
                SpdyClient client = SpdyClient.connect(attach(id, true), V4);
                var _ = client.open("error");
                client.close();
            }
            if (clients.size() >= 10) {
                for (SpdyClient client : clients) {
                    client.close();
                }
                clients.clear();
            }
        }
        for (SpdyClient client : clients) {
            client.close();
        }
    }
}
