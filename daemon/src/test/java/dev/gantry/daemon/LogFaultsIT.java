package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.ReopenContainerLogRequest;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Nothing that befalls the daemon or the disk of the logs holds up a container.
@ExtendWith(DistributionRequired.class)
class LogFaultsIT {

    /// How long the daemon is away at least while a container writes.
    private static final Duration AWAY = Duration.ofSeconds(Long.getLong("gantry.test.away.seconds", 10));

    private static final int LINES = 1_000_000;
    private static final String HUNDRED_BYTES =
            "awk 'BEGIN { for (i = 0; i < " + LINES + "; i++) printf \"%099d\\n\", i }'";

    private static final Pattern PID = Pattern.compile("\"pid\":(\\d+)");
    private static final Pattern LOST = Pattern.compile("\"lostBytes\":(\\d+)");

    private ChildNode node;
    private TestCalls calls;

    @BeforeEach
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
    }

    @AfterEach
    void close() throws IOException {
        node.close();
    }

    @Test
    void aContainerWritesAsMuchAndAsFastWhileTheDaemonIsAway() throws Exception {
        String pod = calls.run(calls.pod("pod"));
        String present = writer(pod, "present");
        go(present);
        Duration withDaemon = written(present);
        assertWhole(Path.of(calls.status(present).getLogPath()));

        String alone = writer(pod, "alone");
        Path log = Path.of(calls.status(alone).getLogPath());
        Path done = proc(alone).resolve("root/tmp/done");
        Path begin = proc(alone).resolve("root/tmp/go");
        node.kill();
        Instant killed = Instant.now();
        Files.createFile(begin);
        await("it has written all while nobody was there")
                .atMost(ChildNode.PATIENCE)
                .until(() -> Files.exists(done));
        TimeUnit.MILLISECONDS.sleep(
                Math.max(0, AWAY.minus(Duration.between(killed, Instant.now())).toMillis()));
        node.start();

        Duration withoutDaemon = written(alone);
        assertWhole(log);
        System.out.printf(
                "100 MB written in %d ms with the daemon, in %d ms while it was away for %d s%n",
                withDaemon.toMillis(),
                withoutDaemon.toMillis(),
                Duration.between(killed, Instant.now()).toSeconds());
        assertThat(calls.status(alone).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        assertThat(lost(alone)).isZero();
    }

    /// A container that waits for a file before it writes, and says in another how long that took.
    private String writer(String pod, String name) {
        String id = calls.run(
                pod,
                calls.container(
                        name,
                        "sh",
                        "-c",
                        "while [ ! -e /tmp/go ]; do sleep 0.05; done; read begin x < /proc/uptime; " + HUNDRED_BYTES
                                + "; read end x < /proc/uptime; echo $begin $end > /tmp/time; touch /tmp/done;"
                                + " exec sleep 3600"));
        await("it runs").atMost(ChildNode.PATIENCE).until(() -> Files.exists(proc(id).resolve("root/tmp")));
        return id;
    }

    private void go(String container) throws IOException {
        Path root = proc(container).resolve("root/tmp");
        Files.createFile(root.resolve("go"));
        await("it has written all").atMost(ChildNode.PATIENCE).until(() -> Files.exists(root.resolve("done")));
    }

    private Duration written(String container) {
        String[] times = calls.shell(container, "cat /tmp/time").split(" ", 2);
        return Duration.ofMillis(Math.round(1000 * (Double.parseDouble(times[1]) - Double.parseDouble(times[0]))));
    }

    /// The first process of a container.
    private Path proc(String container) {
        return Path.of("/proc", Long.toString(number(container, PID)));
    }

    private static void assertWhole(Path log) throws IOException {
        int[] next = {0};
        try (Stream<String> lines = Files.lines(log)) {
            lines.forEach(line -> {
                String[] parts = line.split(" ", 4);
                if (!parts[2].equals("F") || parts[3].length() != 99 || Integer.parseInt(parts[3]) != next[0]) {
                    throw new AssertionError("line %d of %s is %s".formatted(next[0], log, line));
                }
                next[0]++;
            });
        }
        assertThat(next[0]).isEqualTo(LINES);
    }

    @Test
    void aFullDiskUnderTheLogLosesLinesAndStopsNothing() throws Exception {
        PodSandboxConfig.Builder config = calls.pod("pod");
        Path logs = Files.createDirectories(Path.of(config.getLogDirectory()));
        Mounts.mount(new Mount("tmpfs", "tmpfs", Path.of(""), List.of("size=1m")), logs);
        try {
            String pod = calls.run(config);
            String container = calls.run(
                    pod,
                    calls.container(
                            "loud",
                            "sh",
                            "-c",
                            "yes 0123456789abcdef | head -n 200000; touch /tmp/done;"
                                    + " while [ ! -e /tmp/go ]; do sleep 0.05; done; echo again; exec sleep 3600"));
            await("it is not held up")
                    .atMost(ChildNode.PATIENCE)
                    .until(() ->
                            calls.exec(container, "test", "-e", "/tmp/done").getExitCode() == 0);
            Path log = Path.of(calls.status(container).getLogPath());
            List<String> kept = calls.output(container);

            assertThat(kept).isNotEmpty().containsOnly("0123456789abcdef");
            long lines = 200_000L - kept.size();
            assertThat(lost(container)).isGreaterThanOrEqualTo(17 * lines);

            Files.delete(log); // as a rotation would
            var _ = node.client()
                    .runtime()
                    .reopenContainerLog(ReopenContainerLogRequest.newBuilder()
                            .setContainerId(container)
                            .build());
            var _ = calls.shell(container, "touch /tmp/go");
            calls.awaitOutput(container, "again");
            calls.stop(container, 0);
            calls.stopPod(pod);
            calls.removePod(pod);
        } finally {
            Mounts.unmountTree(logs);
        }
    }

    private long lost(String container) {
        return number(container, LOST);
    }

    private long number(String container, Pattern member) {
        String info = node.client()
                .runtime()
                .containerStatus(ContainerStatusRequest.newBuilder()
                        .setContainerId(container)
                        .setVerbose(true)
                        .build())
                .getInfoOrThrow("info");
        Matcher found = member.matcher(info);
        assertThat(found.find()).as(info).isTrue();
        return Long.parseLong(found.group(1));
    }
}
