package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What `crictl` streams: commands, terminals, attached containers and forwarded ports.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrictlStreamsIT {

    private ChildNode node;
    private Crictl crictl;
    private String pod = "";
    private String container = "";

    /// A pod with a web server, and with a container that repeats what it is told.
    @BeforeAll
    void start() throws IOException, InterruptedException {
        node = ChildNode.started();
        crictl = Crictl.of(node);
        String podFile = crictl.write("pod.json", """
            {"metadata": {"name": "streams", "namespace": "test", "uid": "streams"}, "log_directory": "%s"}
            """.formatted(node.directory().resolve("logs/streams")));
        pod = crictl.run("runp", podFile);
        container = run(podFile, "web", """
            "command": ["sh", "-c", "mkdir /www; echo hello > /www/a; exec httpd -f -p 8080 -h /www"]\
            """);
    }

    private String run(String podFile, String name, String more) throws IOException, InterruptedException {
        String file = crictl.write(name + ".json", """
            {"metadata": {"name": "%s"}, "image": {"image": "%s"}, "log_path": "%s.log", %s}
            """.formatted(name, TestImages.NAME, name, more));
        String id = crictl.run("create", "--no-pull", pod, file, podFile);
        return crictl.run("start", id);
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "websocket"})
    void runsACommand(String transport) throws IOException, InterruptedException {
        Crictl.Ended ended =
                crictl.end("exec", "--transport", transport, container, "sh", "-c", "echo out; echo err >&2; exit 9");

        assertThat(ended.output()).isEqualTo("out\n");
        assertThat(ended.errors()).contains("err\n", "exit code 9");
        assertThat(ended.code()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "websocket"})
    void feedsACommand(String transport) throws IOException, InterruptedException {
        Crictl.Running running = crictl.start("exec", "-i", "--transport", transport, container, "wc", "-c");
        running.type("12345");
        running.process().getOutputStream().close();

        assertThat(running.end().output().strip()).isEqualTo("5");
    }

    /// `script` gives the client the terminal that it passes on.
    @Test
    void runsACommandOnATerminal() throws IOException, InterruptedException {
        String command = "%s --config %s --runtime-endpoint unix://%s exec -it %s sh"
                .formatted(crictl.program(), crictl.directory().resolve("crictl.yaml"), crictl.socket(), container);
        Process process = new ProcessBuilder("script", "-qec", command, "/dev/null")
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().write("tty; exit 3\n".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();

        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(printed).contains("/dev/pts/0", "exit code 3");
        assertThat(process.waitFor()).isEqualTo(1);
    }

    @Test
    void attachesToAContainer() throws IOException, InterruptedException {
        String podFile = crictl.directory().resolve("pod.json").toString();
        String cat = run(podFile, "cat", "\"command\": [\"cat\"], \"stdin\": true, \"stdin_once\": true");

        Crictl.Running attached = crictl.start("attach", "-i", cat);
        attached.type("said\n");
        await("it is repeated")
                .atMost(ChildNode.PATIENCE)
                .until(() -> attached.printed().contains("said\n"));
        attached.process().getOutputStream().close();

        assertThat(attached.end().code()).isZero();
        assertThat(node.calls().exited(cat).getExitCode()).isZero();
        assertThat(crictl.run("logs", cat)).isEqualTo("said");
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "websocket"})
    void forwardsAPort(String transport) throws IOException {
        int port = freePort();
        Crictl.Running forward = crictl.start("port-forward", "--transport", transport, pod, port + ":8080");
        try {
            await("it forwards")
                    .atMost(ChildNode.PATIENCE)
                    .ignoreExceptions()
                    .untilAsserted(() -> assertThat(get(port)).isEqualTo("hello\n"));
        } finally {
            forward.process().destroy();
        }
    }

    private static String get(int port) throws IOException {
        try (var in =
                URI.create("http://127.0.0.1:%d/a".formatted(port)).toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Test
    void saysWhatCannotBeStreamed() throws IOException, InterruptedException {
        assertThat(crictl.end("exec", "nothing", "true").errors()).contains("NotFound");
        assertThat(crictl.end("exec", container, "no-such-program").code()).isNotZero();
        assertThat(List.of(crictl.end("port-forward", "nothing", "1:1").code())).doesNotContain(0);
    }
}
