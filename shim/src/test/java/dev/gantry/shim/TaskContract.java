package dev.gantry.shim;

import static dev.gantry.shim.ShimNode.INIT;
import static dev.gantry.shim.ShimNode.SLEEP;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gantry.cri.oci.Json;
import dev.gantry.shim.ShimNode.Container;
import dev.gantry.shim.ShimNode.Exec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// What every shim does for containers and the processes in them. See [ShimContract].
interface TaskContract {

    ShimNode node();

    int version();

    @Test
    default void runsAContainerFromCreateToDelete() throws Exception {
        Container container = node().container("a", "/bin/sh", "-c", "echo out; echo err >&2; exit 3");
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

    @Test
    default void killsAContainer() throws Exception {
        Container container = node().running("a", SLEEP);

        container.shim.kill("a", INIT, 9, false);

        assertThat(container.await().status()).isEqualTo(137);
        assertThatThrownBy(() -> container.shim.kill("a", INIT, 9, false)).isInstanceOf(ShimException.NotFound.class);
    }

    @Test
    default void runsProcessesInAContainer() throws Exception {
        Container container = node().running("a", SLEEP);
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
    default void saysWhyAProcessCannotRun() throws Exception {
        Container container = node().running("a", SLEEP);
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
    default void saysWhyAContainerCannotBeCreated() throws Exception {
        Container container = node().container("a", "/bin/nope");

        assertThatThrownBy(container::create)
                .isInstanceOf(ShimException.class)
                .hasMessageStartingWith("cannot create container a: ")
                .hasMessageContaining("/bin/nope");
        assertThatThrownBy(() -> container.shim.start("a")).isInstanceOf(ShimException.NotFound.class);
        container.shim.shutdown("a");
        container.shim.closed().get(10, TimeUnit.SECONDS);
    }

    @Test
    default void pausesAndMeasures() throws Exception {
        Container container = node().running("a", SLEEP);

        container.shim.pause("a");
        assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.PAUSED);
        container.shim.resume("a");
        assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);

        assertThat(container.shim.pids("a")).containsExactly(container.pid);
        assertThat(container.shim.stats("a").getTypeUrl()).matches("io\\.containerd\\.cgroups\\.v[12]\\.Metrics");
        container.shim.update("a", Json.write(Map.of("pids", Map.of("limit", 50L))));
        assertThat(node().cgroups().stream()
                        .filter(cgroup -> cgroup.endsWith("a"))
                        .map(cgroup -> cgroup.resolve("pids.max"))
                        .filter(Files::exists)
                        .map(TaskContract::read))
                .containsOnly("50\n");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    default void givesATerminalItsSize() throws Exception {
        Container container = node().container(
                        "a",
                        "a",
                        Optional.empty(),
                        new StdioFifos.Streams(true, true),
                        "/bin/sh",
                        "-c",
                        "read x; stty size");
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
    default void passesInputUntilItsEnd() throws Exception {
        Container container =
                node().container("a", "a", Optional.empty(), new StdioFifos.Streams(true, false), "/bin/cat");
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
    default void oneShimServesAPod() throws Exception {
        Container first = node().container("a", "a", Optional.empty(), ShimNode.OUTPUT, SLEEP);
        first.create();
        first.start();
        Container second = node().container("b", "a", Optional.of(first.shim), ShimNode.OUTPUT, SLEEP);
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
    default void tellsOfMemoryThatRanOut() throws Exception {
        Container container = node().container("a", "/bin/busybox", "tail", "/dev/zero");
        container.create();
        container.shim.update("a", Json.write(Map.of("memory", Map.of("limit", 16L << 20))));
        container.start();

        assertThat(container.await().status()).isEqualTo(137);
        List<String> heard = new ArrayList<>();
        for (String event = ""; event != null; event = node().events.poll(3, TimeUnit.SECONDS)) {
            heard.add(event);
        }
        assertThat(heard).contains("oom a", "exit a - 137");
    }

    @Test
    default void tellsOfExits() throws Exception {
        Container container = node().running("a", SLEEP);
        container.exec("e", "/bin/sh", "-c", "exit 4").run();
        container.shim.kill("a", INIT, 9, false);

        // The shim lives on here: one that is shut down at once may take its last events with it.
        assertThat(node().events.poll(10, TimeUnit.SECONDS)).isEqualTo("exit a e 4");
        assertThat(node().events.poll(10, TimeUnit.SECONDS)).isEqualTo("exit a - 137");
    }
}
