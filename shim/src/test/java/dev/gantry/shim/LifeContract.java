package dev.gantry.shim;

import static dev.gantry.shim.ShimNode.INIT;
import static dev.gantry.shim.ShimNode.SLEEP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.Signals;
import dev.gantry.shim.ShimNode.Container;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// How every shim begins and ends, and what becomes of it and its containers when it or its daemon dies. See
/// [ShimContract].
interface LifeContract {

    ShimNode node();

    void describesItself(Optional<ShimInfo> info);

    @Test
    default void describesItself() {
        describesItself(node().shims().info(node().binary));
    }

    @Test
    default void cleansUpAfterADeadShim() throws Exception {
        Container first = node().container("a", "a", Optional.empty(), ShimNode.OUTPUT, SLEEP);
        first.create();
        first.start();
        Container second = node().container("b", "a", Optional.of(first.shim), ShimNode.OUTPUT, SLEEP);
        second.create();
        second.start();
        CompletableFuture<Exit> waiting = first.shim.wait("a", INIT);

        ProcessHandle.of(first.shim.shimPid()).orElseThrow().destroyForcibly();
        first.shim.closed().get(10, TimeUnit.SECONDS);

        assertThatThrownBy(() -> waiting.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(ShimException.Unavailable.class);
        assertThatThrownBy(() -> first.shim.state("a", INIT)).isInstanceOf(ShimException.Unavailable.class);
        assertThatThrownBy(() -> node().shims().reconnect(first.bundle, "a"))
                .isInstanceOf(ShimException.Unavailable.class);
        for (Container container : List.of(first, second)) {
            Optional<Exit> exit = node().shims().cleanup(node().binary, container.bundle, container.id);
            assertThat(exit).map(Exit::status).contains(137);
            ShimNode.await(() -> !ShimNode.isRunning(container.pid));
        }
        assertThat(first.shim.bootstrap().socket()).doesNotExist();
        assertThat(ShimNode.mounts())
                .noneMatch(line -> line.contains(node().directory().toString()));
        assertThat(node().shims().cleanup(node().binary, first.bundle, "a")).isPresent(); // can be repeated
    }

    @Test
    default void findsTheExitOfAContainerThatEndedWhileTheDaemonWasAway() throws Exception {
        Container ends =
                node().container("a", "a", Optional.empty(), ShimNode.OUTPUT, "/bin/sh", "-c", "sleep 0.3; exit 5");
        ends.create();
        ends.start();
        Container talks = node().container(
                        "b",
                        "a",
                        Optional.of(ends.shim),
                        ShimNode.OUTPUT,
                        "/bin/sh",
                        "-c",
                        "echo early; sleep 0.3; echo meanwhile; sleep 1000");
        talks.create();
        talks.start();
        talks.out.await("early");

        node().crash();
        Thread.sleep(800);
        node().comeBack();

        ends.shim = node().shims().reconnect(ends.bundle, "a");
        talks.shim = node().shims().reconnect(talks.bundle, "b");
        assertThat(talks.shim).isSameAs(ends.shim);
        assertThat(ends.shim.state("a", INIT).exit()).map(Exit::status).contains(5);
        assertThat(ends.await().status()).isEqualTo(5);
        ends.reopenFifos(ShimNode.OUTPUT);
        ends.fifos.drained().get(5, TimeUnit.SECONDS);
        talks.reopenFifos(ShimNode.OUTPUT);
        assertThat(talks.out.await("meanwhile")).isEqualTo("early\nmeanwhile\n");
        assertThat(talks.fifos.drained()).isNotDone();
        talks.remove();
        ShimNode.await(() -> node().events.contains("exit b - 137")); // shims find the new socket
        ends.remove();
    }

    @Test
    default void cleansUpThroughAShimThatIsAlive() throws Exception {
        Container first = node().container("a", "a", Optional.empty(), ShimNode.OUTPUT, SLEEP);
        first.create();
        first.start();
        Container created = node().container("b", "a", Optional.of(first.shim), ShimNode.OUTPUT, SLEEP);
        created.create();

        assertThat(node().shims().cleanup(node().binary, created.bundle, "b"))
                .map(Exit::status)
                .contains(137);
        assertThat(first.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);
        assertThat(node().shims().cleanup(node().binary, first.bundle, "a"))
                .map(Exit::status)
                .contains(137);
        first.shim.closed().get(10, TimeUnit.SECONDS);
        assertThat(ShimNode.mounts())
                .noneMatch(line -> line.contains(node().directory().toString()));
    }

    @Test
    default void endsAShimWhoseAddressNobodyWroteDown() throws Exception {
        Container container = node().container("a", SLEEP);
        int shim = container.shim.shimPid();
        node().crash();
        Files.deleteIfExists(container.bundle.bootstrap());
        Files.deleteIfExists(container.bundle.address());
        node().comeBack();

        assertThatThrownBy(() -> node().shims().reconnect(container.bundle, "a"))
                .isInstanceOf(ShimException.NotFound.class);
        node().shims().cleanup(node().binary, container.bundle, "a");
        ShimNode.await(() -> !ShimNode.isRunning(shim));
    }

    @Test
    default void doesNotWaitForeverForAShimThatHangs() throws Exception {
        Container container = node().running("a", SLEEP);
        int shim = container.shim.shimPid();
        node().crash();
        node().comeBack();
        Signals.kill(shim, Signals.number("STOP"));
        try {
            long begin = System.nanoTime();
            assertThatThrownBy(() -> node().shims().reconnect(container.bundle, "a"))
                    .isInstanceOf(ShimException.TimedOut.class);
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
        } finally {
            Signals.kill(shim, Signals.number("CONT"));
        }
        container.shim = node().shims().reconnect(container.bundle, "a");
        assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);
    }

    @Test
    default void tellsAContainerThatAShimDoesNotKnow() throws Exception {
        Container container = node().container("a", SLEEP);

        assertThatThrownBy(() -> node().shims().reconnect(container.bundle, "a"))
                .isInstanceOf(ShimException.NotFound.class);
        node().shims().cleanup(node().binary, container.bundle, "a");
        container.shim.closed().get(10, TimeUnit.SECONDS);

        Container never = node().prepare("b", "b", false, SLEEP);
        assertThatThrownBy(() -> node().shims().reconnect(never.bundle, "b"))
                .isInstanceOf(ShimException.NotFound.class)
                .hasMessageContaining("names no shim");
    }

    @Test
    default void aFailedStartLeavesNoShim() throws Exception {
        Container container = node().prepare("a", "a", false, SLEEP);
        Path junk = script("echo 'a line that is no address'");
        Path silent = script("sleep 60");
        Path gone = script("echo unix://%s/gone".formatted(node().directory()));

        assertThatThrownBy(() -> start(new ShimBinary(Path.of("/bin/false"), Optional.empty()), container, 5))
                .isInstanceOf(ShimException.StartFailed.class);
        assertThatThrownBy(() -> start(new ShimBinary(Path.of("/nope"), Optional.empty()), container, 5))
                .isInstanceOf(ShimException.StartFailed.class)
                .hasMessageContaining("/nope");
        assertThatThrownBy(() -> start(new ShimBinary(junk, Optional.empty()), container, 5))
                .isInstanceOf(ShimException.StartFailed.class)
                .hasMessageContaining("a line that is no address");
        assertThatThrownBy(() -> start(new ShimBinary(silent, Optional.empty()), container, 1))
                .isInstanceOf(ShimException.TimedOut.class);
        assertThatThrownBy(() -> start(new ShimBinary(gone, Optional.empty()), container, 1))
                .isInstanceOf(ShimException.class);
    }

    private void start(ShimBinary binary, Container container, int seconds) {
        node().shims().start(binary, container.bundle, container.id, Optional.empty(), Duration.ofSeconds(seconds));
    }

    private Path script(String body) throws IOException {
        Path file = Files.createTempFile(node().directory(), "shim", "");
        Files.writeString(file, "#!/bin/sh\ncase \"$*\" in *delete) exit 0;; esac\n" + body + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    default void twentyRoundsLeaveNothingBehind() throws Exception {
        round(0, new ArrayList<>());
        long descriptors = descriptors();
        List<String> threads = threads();
        List<long[]> times = new ArrayList<>();

        for (int i = 1; i <= 20; i++) {
            round(i, times);
        }

        assertThat(processes()).isEmpty();
        assertThat(ShimNode.mounts())
                .noneMatch(line -> line.contains(node().directory().toString()));
        assertThat(node().cgroups()).allMatch(cgroup -> cgroup.endsWith(node().name));
        assertThat(descriptors()).isLessThanOrEqualTo(descriptors);
        assertThat(threads()).hasSizeLessThanOrEqualTo(threads.size());
        print(times);
    }

    /// The names of all threads but those that the test engine, and the JDK for child processes, have as they like.
    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(it -> !it.startsWith("ForkJoinPool") && !it.startsWith("process reaper"))
                .sorted()
                .toList();
    }

    private void round(int i, List<long[]> times) throws Exception {
        long[] at = new long[5];
        at[0] = System.nanoTime();
        Container container = node().container("r" + i, SLEEP);
        at[1] = System.nanoTime();
        container.create();
        at[2] = System.nanoTime();
        CompletableFuture<Exit> exit = container.shim.wait(container.id, INIT);
        container.start();
        at[3] = System.nanoTime();
        assertThat(container.exec("e", "/bin/echo", "x").run().status()).isZero();
        long kill = System.nanoTime();
        container.shim.kill(container.id, INIT, 9, false);
        exit.get(10, TimeUnit.SECONDS);
        at[4] = at[3] + System.nanoTime() - kill;
        container.remove();
        container.shim.closed().get(10, TimeUnit.SECONDS);
        ShimNode.await(() -> !ShimNode.isRunning(container.shim.shimPid()));
        assertThat(container.shim.bootstrap().socket()).doesNotExist();
        times.add(at);
    }

    private void print(List<long[]> times) {
        String[] steps = {"start action", "create", "start", "kill to exit"};
        for (int step = 0; step < steps.length; step++) {
            int s = step;
            long median = times.stream()
                    .mapToLong(at -> at[s + 1] - at[s])
                    .sorted()
                    .skip(times.size() / 2)
                    .findFirst()
                    .orElseThrow();
            System.out.printf("%s: %s: median %.1f ms%n", node().binary.path(), steps[step], median / 1e6);
        }
    }

    private List<String> processes() {
        return ProcessHandle.allProcesses()
                .flatMap(process -> process.info().commandLine().stream())
                .filter(line -> line.contains(node().directory().toString()))
                .toList();
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }
}
