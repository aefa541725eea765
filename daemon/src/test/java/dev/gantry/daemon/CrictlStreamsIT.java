package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Exec, attach and port forwarding by crictl, over each of its transports.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrictlStreamsIT {

    private static final int ECHO = 7000;
    private static final Pattern FORWARDING = Pattern.compile("Forwarding from 127\\.0\\.0\\.1:(\\d+)");

    private ChildNode node;
    private TestCalls calls;
    private Crictl crictl;
    private String pod;
    private String container;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
        crictl = Crictl.of(node);
        pod = calls.run(calls.pod("pod"));
        container = calls.run(pod, calls.sleeper("sleeper"));
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "websocket"})
    void executes(String transport) throws Exception {
        Crictl.Ended ended =
                crictl.end("exec", "--transport", transport, container, "sh", "-c", "echo out; echo wrong >&2; exit 7");

        assertThat(ended.output()).isEqualTo("out\n");
        assertThat(ended.errors()).contains("wrong\n", "exit code 7");
        assertThat(ended.code()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "websocket"})
    void passesInputOn(String transport) throws Exception {
        Crictl.Running running = crictl.start("exec", "-i", "--transport", transport, container, "cat");
        running.type("one\ntwo\n");
        running.process().getOutputStream().close();

        assertThat(running.end()).satisfies(it -> {
            assertThat(it.output()).isEqualTo("one\ntwo\n");
            assertThat(it.code()).isZero();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "websocket"})
    void attaches(String transport) throws Exception {
        String reader = calls.run(
                pod,
                calls.container("reader-" + transport, "sh", "-c", "while read x; do echo got $x; done; echo over")
                        .setStdin(true)
                        .setStdinOnce(true));
        Crictl.Running running = crictl.start("attach", "-i", "--transport", transport, reader);
        running.type("one\n");
        await().atMost(ChildNode.PATIENCE).until(() -> running.printed().contains("got one"));
        running.process().getOutputStream().close();

        assertThat(running.end().output()).isEqualTo("got one\nover\n");
        assertThat(calls.exited(reader).getExitCode()).isZero();
        assertThat(calls.output(reader)).containsExactly("got one", "over");
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "websocket"})
    void forwardsPorts(String transport) throws Exception {
        try (PodServer _ = PodServer.echo(node, pod, "127.0.0.1", ECHO)) {
            Crictl.Running running = crictl.start("port-forward", "--transport", transport, pod, ":" + ECHO);
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port(running))) {
                socket.getOutputStream().write("there and back".getBytes(UTF_8));
                socket.shutdownOutput();

                assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8))
                        .isEqualTo("there and back");
            } finally {
                running.process().destroyForcibly();
            }
        }
    }

    private static int port(Crictl.Running running) {
        return await().atMost(ChildNode.PATIENCE)
                .until(
                        () -> {
                            Matcher found = FORWARDING.matcher(running.printed());
                            return found.find() ? Integer.parseInt(found.group(1)) : 0;
                        },
                        it -> it > 0);
    }
}
