package dev.gantry.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gantry.cri.oci.Json;
import dev.gantry.linux.Signals;
import dev.gantry.shim.ShimNode.Container;
import dev.gantry.shim.ShimNode.Exec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What must hold with every shim that drives runc.
///
/// All that differs between ours, containerd 2.4's and Debian's (1.6):
/// - the version of the protocol, and with it the form of the reply to `start`: 1.6 knows version 2 only;
/// - the description of itself, a question that 1.6 does not know;
/// - what a shim that was killed had seen: ours and 2.4 leave the exit code in `exit.json`, after 1.6 it is 137;
/// - what is beyond the protocol: only ours writes logs and serves attached clients ([ShimStreamsIT]).
@Timeout(120)
abstract class ShimContract {

    private static final Optional<String> INIT = Optional.empty();
    private static final String[] SLEEP = {"/bin/sleep", "1000"};

    ShimNode node;

    /// The binary to test, or the test is skipped with a reason.
    abstract Path binary();

    /// The version in which the shim answers.
    abstract int version();

    @BeforeEach
    void open() throws IOException {
        node = new ShimNode(binary());
    }

    @AfterEach
    void close() throws Exception {
        if (node != null) {
            node.end();
        }
    }

    @Test
    void runsAContainerFromCreateToDelete() throws Exception {
        Container container = node.container("a", "/bin/sh", "-c", "echo out; echo err >&2; exit 3");
        Instant before = Instant.now();
        int pid = container.create();

        assertThat(container.shim.bootstrap().version()).isEqualTo(version());
        assertThat(ProcessHandle.of(container.shim.shimPid())).isPresent();
        assertThat(ProcessHandle.of(pid)).isPresent();
        assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.CREATED);
        assertThat(container.shim.state("a", INIT).stdio()).isEqualTo(container.fifos.stdio());

        CompletableFuture<Exit> exit = container.shim.wait("a", INIT);
        container.start();
        assertThat(exit.get(20, TimeUnit.SECONDS).status()).isEqualTo(3);
        assertThat(exit.get().at())
                .isBetween(before.minusSeconds(1), Instant.now().plusSeconds(1));
        container.fifos.drained().get(10, TimeUnit.SECONDS);
        assertThat(container.out.text()).isEqualTo("out\n");
        assertThat(container.err.text()).isEqualTo("err\n");

        TaskState state = container.shim.state("a", INIT);
        assertThat(state.status()).isEqualTo(TaskStatus.STOPPED);
        assertThat(state.exit()).map(Exit::status).contains(3);
        assertThat(container.await().status()).isEqualTo(3);
        assertThat(container.shim.delete("a", INIT).status()).isEqualTo(3);
        assertThatThrownBy(() -> container.shim.state("a", INIT)).isInstanceOf(ShimException.NotFound.class);
        assertThatThrownBy(() -> container.shim.delete("a", INIT)).isInstanceOf(ShimException.NotFound.class);

        container.shim.shutdown("a");
        container.shim.closed().get(10, TimeUnit.SECONDS);
    }

    /// What the binary tells of itself, if this version can.
    abstract void describesItself(Optional<ShimInfo> info);

    @Test
    void describesItself() {
        describesItself(node.shims().info(node.binary));
    }

    @Test
    void killsAContainer() throws Exception {
        Container container = node.running("a", SLEEP);

        container.shim.kill("a", INIT, 9, false);

        assertThat(container.await().status()).isEqualTo(137);
        assertThatThrownBy(() -> container.shim.kill("a", INIT, 9, false)).isInstanceOf(ShimException.NotFound.class);
    }

    @Test
    void runsProcessesInAContainer() throws Exception {
        Container container = node.running("a", SLEEP);
        Exec seven = container.exec("seven", "/bin/sh", "-c", "echo hello; echo oops >&2; exit 7");

        assertThat(seven.run().status()).isEqualTo(7);
        assertThat(seven.out.text()).isEqualTo("hello\n");
        assertThat(seven.err.text()).isEqualTo("oops\n");
        assertThatThrownBy(() -> container.shim.state("a", Optional.of("seven")))
                .isInstanceOf(ShimException.NotFound.class);

        Exec killed = container.exec("killed", SLEEP);
        container.shim.startExec("a", "killed");
        container.shim.kill("a", Optional.of("killed"), 9, false);
        assertThat(container
                        .shim
                        .wait("a", Optional.of("killed"))
                        .get(10, TimeUnit.SECONDS)
                        .status())
                .isEqualTo(137);
        killed.delete();
        assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);
    }

    @Test
    void saysWhyAProcessCannotRun() throws Exception {
        Container container = node.running("a", SLEEP);
        Exec missing = container.exec("missing", "/bin/nope");

        var failure =
                catchThrowableOfType(ShimException.Rejected.class, () -> container.shim.startExec("a", "missing"));
        assertThat(failure)
                .hasMessageStartingWith("cannot start exec missing in container a: ")
                .hasMessageContaining("/bin/nope")
                .hasMessageContaining("no such file or directory");
        assertThat(failure.reason()).doesNotStartWith("cannot start exec");
        missing.delete();

        assertThatThrownBy(() -> container.exec("x", SLEEP).name.concat(container.exec("x", SLEEP).name))
                .isInstanceOf(ShimException.AlreadyExists.class);
    }

    @Test
    void saysWhyAContainerCannotBeCreated() throws Exception {
        Container container = node.container("a", "/bin/nope");

        assertThatThrownBy(container::create)
                .isInstanceOf(ShimException.class)
                .hasMessageStartingWith("cannot create container a: ")
                .hasMessageContaining("/bin/nope");
        assertThatThrownBy(() -> container.shim.start("a")).isInstanceOf(ShimException.NotFound.class);
        container.shim.shutdown("a");
        container.shim.closed().get(10, TimeUnit.SECONDS);
    }

    @Test
    void pausesAndMeasures() throws Exception {
        Container container = node.running("a", SLEEP);

        container.shim.pause("a");
        assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.PAUSED);
        container.shim.resume("a");
        assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);

        assertThat(container.shim.pids("a")).containsExactly(container.pid);
        assertThat(container.shim.stats("a").getTypeUrl()).matches("io\\.containerd\\.cgroups\\.v[12]\\.Metrics");
        container.shim.update("a", Json.write(Map.of("pids", Map.of("limit", 50L))));
        assertThat(node.cgroups().stream()
                        .filter(cgroup -> cgroup.endsWith("a"))
                        .map(cgroup -> cgroup.resolve("pids.max"))
                        .filter(Files::exists)
                        .map(ShimContract::read))
                .containsOnly("50\n");
    }

    @Test
    void givesATerminalItsSize() throws Exception {
        Container container = node.container(
                "a", "a", Optional.empty(), new StdioFifos.Streams(true, true), "/bin/sh", "-c", "read x; stty size");
        container.create();
        container.start();

        container.shim.resizePty("a", INIT, 123, 45);
        container
                .fifos
                .stdin()
                .orElseThrow()
                .write(ByteBuffer.wrap("go\n".getBytes(UTF_8)))
                .get(5, TimeUnit.SECONDS);

        assertThat(container.out.await("45 123")).contains("45 123");
        assertThat(container.await().status()).isZero();
    }

    @Test
    void passesInputUntilItsEnd() throws Exception {
        Container container =
                node.container("a", "a", Optional.empty(), new StdioFifos.Streams(true, false), "/bin/cat");
        container.create();
        container.start();
        container
                .fifos
                .stdin()
                .orElseThrow()
                .write(ByteBuffer.wrap("one\n".getBytes(UTF_8)))
                .get(5, TimeUnit.SECONDS);
        container.out.await("one");
        byte[] much = "0123456789abcde\n".repeat(20_000).getBytes(UTF_8);
        container.fifos.stdin().orElseThrow().write(ByteBuffer.wrap(much)).get(10, TimeUnit.SECONDS);

        container.fifos.closeStdin();
        container.shim.closeIo("a", INIT);

        assertThat(container.await().status()).isZero();
        container.fifos.drained().get(10, TimeUnit.SECONDS);
        assertThat(container.out.text()).hasSize(4 + much.length).startsWith("one\n0123");
    }

    @Test
    void oneShimServesAPod() throws Exception {
        Container first = node.container("a", "a", Optional.empty(), ShimNode.OUTPUT, SLEEP);
        first.create();
        first.start();
        Container second = node.container("b", "a", Optional.of(first.shim), ShimNode.OUTPUT, SLEEP);
        second.create();
        second.start();

        assertThat(second.shim).isSameAs(first.shim);
        first.remove();
        assertThat(second.shim.closed()).isNotDone();
        assertThat(second.shim.state("b", INIT).status()).isEqualTo(TaskStatus.RUNNING);
        second.remove();
        second.shim.closed().get(10, TimeUnit.SECONDS);
    }

    @Test
    void cleansUpAfterADeadShim() throws Exception {
        Container first = node.container("a", "a", Optional.empty(), ShimNode.OUTPUT, SLEEP);
        first.create();
        first.start();
        Container second = node.container("b", "a", Optional.of(first.shim), ShimNode.OUTPUT, SLEEP);
        second.create();
        second.start();
        CompletableFuture<Exit> waiting = first.shim.wait("a", INIT);

        ProcessHandle.of(first.shim.shimPid()).orElseThrow().destroyForcibly();
        first.shim.closed().get(10, TimeUnit.SECONDS);

        assertThatThrownBy(() -> waiting.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(ShimException.Unavailable.class);
        assertThatThrownBy(() -> first.shim.state("a", INIT)).isInstanceOf(ShimException.Unavailable.class);
        assertThatThrownBy(() -> node.shims().reconnect(first.bundle, "a"))
                .isInstanceOf(ShimException.Unavailable.class);
        for (Container container : List.of(first, second)) {
            Optional<Exit> exit = node.shims().cleanup(node.binary, container.bundle, container.id);
            assertThat(exit).map(Exit::status).contains(137);
            await(() -> !running(container.pid));
        }
        assertThat(first.shim.bootstrap().socket()).doesNotExist();
        assertThat(mounts()).noneMatch(line -> line.contains(node.directory().toString()));
        assertThat(node.shims().cleanup(node.binary, first.bundle, "a")).isPresent(); // can be repeated
    }

    @Test
    void findsTheExitOfAContainerThatEndedWhileTheDaemonWasAway() throws Exception {
        Container ends =
                node.container("a", "a", Optional.empty(), ShimNode.OUTPUT, "/bin/sh", "-c", "sleep 0.3; exit 5");
        ends.create();
        ends.start();
        Container talks = node.container(
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

        node.crash();
        Thread.sleep(800);
        node.comeBack();

        ends.shim = node.shims().reconnect(ends.bundle, "a");
        talks.shim = node.shims().reconnect(talks.bundle, "b");
        assertThat(talks.shim).isSameAs(ends.shim);
        assertThat(ends.shim.state("a", INIT).exit()).map(Exit::status).contains(5);
        assertThat(ends.await().status()).isEqualTo(5);
        ends.reopenFifos(ShimNode.OUTPUT);
        ends.fifos.drained().get(5, TimeUnit.SECONDS);
        talks.reopenFifos(ShimNode.OUTPUT);
        assertThat(talks.out.await("meanwhile")).isEqualTo("early\nmeanwhile\n");
        assertThat(talks.fifos.drained()).isNotDone();
        talks.remove();
        await(() -> node.events.contains("exit b - 137")); // shims find the new socket
        ends.remove();
    }

    @Test
    void cleansUpThroughAShimThatIsAlive() throws Exception {
        Container first = node.container("a", "a", Optional.empty(), ShimNode.OUTPUT, SLEEP);
        first.create();
        first.start();
        Container created = node.container("b", "a", Optional.of(first.shim), ShimNode.OUTPUT, SLEEP);
        created.create();

        assertThat(node.shims().cleanup(node.binary, created.bundle, "b"))
                .map(Exit::status)
                .contains(137);
        assertThat(first.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);
        assertThat(node.shims().cleanup(node.binary, first.bundle, "a"))
                .map(Exit::status)
                .contains(137);
        first.shim.closed().get(10, TimeUnit.SECONDS);
        assertThat(mounts()).noneMatch(line -> line.contains(node.directory().toString()));
    }

    @Test
    void endsAShimWhoseAddressNobodyWroteDown() throws Exception {
        Container container = node.container("a", SLEEP);
        int shim = container.shim.shimPid();
        node.crash();
        Files.deleteIfExists(container.bundle.bootstrap());
        Files.deleteIfExists(container.bundle.address());
        node.comeBack();

        assertThatThrownBy(() -> node.shims().reconnect(container.bundle, "a"))
                .isInstanceOf(ShimException.NotFound.class);
        node.shims().cleanup(node.binary, container.bundle, "a");
        await(() -> !running(shim));
    }

    @Test
    void doesNotWaitForeverForAShimThatHangs() throws Exception {
        Container container = node.running("a", SLEEP);
        int shim = container.shim.shimPid();
        node.crash();
        node.comeBack();
        Signals.kill(shim, Signals.number("STOP"));
        try {
            long begin = System.nanoTime();
            assertThatThrownBy(() -> node.shims().reconnect(container.bundle, "a"))
                    .isInstanceOf(ShimException.TimedOut.class);
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(8));
        } finally {
            Signals.kill(shim, Signals.number("CONT"));
        }
        container.shim = node.shims().reconnect(container.bundle, "a");
        assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);
    }

    @Test
    void tellsOfMemoryThatRanOut() throws Exception {
        Container container = node.container("a", "/bin/busybox", "tail", "/dev/zero");
        container.create();
        container.shim.update("a", Json.write(Map.of("memory", Map.of("limit", 16L << 20))));
        container.start();

        assertThat(container.await().status()).isEqualTo(137);
        List<String> heard = new ArrayList<>();
        for (String event = ""; event != null; event = node.events.poll(3, TimeUnit.SECONDS)) {
            heard.add(event);
        }
        assertThat(heard).contains("oom a", "exit a - 137");
    }

    @Test
    void tellsAContainerThatAShimDoesNotKnow() throws Exception {
        Container container = node.container("a", SLEEP);

        assertThatThrownBy(() -> node.shims().reconnect(container.bundle, "a"))
                .isInstanceOf(ShimException.NotFound.class);
        node.shims().cleanup(node.binary, container.bundle, "a");
        container.shim.closed().get(10, TimeUnit.SECONDS);

        Container never = node.prepare("b", "b", false, SLEEP);
        assertThatThrownBy(() -> node.shims().reconnect(never.bundle, "b"))
                .isInstanceOf(ShimException.NotFound.class)
                .hasMessageContaining("names no shim");
    }

    @Test
    void tellsOfExits() throws Exception {
        Container container = node.running("a", SLEEP);
        container.exec("e", "/bin/sh", "-c", "exit 4").run();
        container.shim.kill("a", INIT, 9, false);

        // The shim lives on here: one that is shut down at once may take its last events with it.
        assertThat(node.events.poll(10, TimeUnit.SECONDS)).isEqualTo("exit a e 4");
        assertThat(node.events.poll(10, TimeUnit.SECONDS)).isEqualTo("exit a - 137");
    }

    @Test
    void aFailedStartLeavesNoShim() throws Exception {
        Container container = node.prepare("a", "a", false, SLEEP);
        Path junk = script("echo 'a line that is no address'");
        Path silent = script("sleep 60");
        Path gone = script("echo unix://%s/gone".formatted(node.directory()));

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
        node.shims().start(binary, container.bundle, container.id, Optional.empty(), Duration.ofSeconds(seconds));
    }

    private Path script(String body) throws IOException {
        Path file = Files.createTempFile(node.directory(), "shim", "");
        Files.writeString(file, "#!/bin/sh\ncase \"$*\" in *delete) exit 0;; esac\n" + body + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void twentyRoundsLeaveNothingBehind() throws Exception {
        round(0, new ArrayList<>());
        long descriptors = descriptors();
        long threads = Thread.getAllStackTraces().size();
        List<long[]> times = new ArrayList<>();

        for (int i = 1; i <= 20; i++) {
            round(i, times);
        }

        assertThat(processes()).isEmpty();
        assertThat(mounts()).noneMatch(line -> line.contains(node.directory().toString()));
        assertThat(node.cgroups()).allMatch(cgroup -> cgroup.endsWith(node.name));
        assertThat(descriptors()).isLessThanOrEqualTo(descriptors);
        assertThat(Thread.getAllStackTraces()).hasSizeLessThanOrEqualTo((int) threads);
        print(times);
    }

    private void round(int i, List<long[]> times) throws Exception {
        long[] at = new long[5];
        at[0] = System.nanoTime();
        Container container = node.container("r" + i, SLEEP);
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
        await(() -> !running(container.shim.shimPid()));
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
            System.out.printf("%s: %s: median %.1f ms%n", binary(), steps[step], median / 1e6);
        }
    }

    private static void await(BooleanSupplier fact) throws InterruptedException {
        long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!fact.getAsBoolean() && System.nanoTime() < end) {
            Thread.sleep(10);
        }
        assertThat(fact.getAsBoolean()).isTrue();
    }

    private static boolean running(int pid) {
        try {
            return !Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
        } catch (IOException e) {
            return false;
        }
    }

    private List<String> processes() {
        return ProcessHandle.allProcesses()
                .flatMap(process -> process.info().commandLine().stream())
                .filter(line -> line.contains(node.directory().toString()))
                .toList();
    }

    private static List<String> mounts() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo"));
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
