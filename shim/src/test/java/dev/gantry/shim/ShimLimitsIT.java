package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.gantry.cri.oci.Json;
import dev.gantry.shim.ShimNode.Container;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Our own shim when its patience or its descriptors are at an end.
@Timeout(120)
class ShimLimitsIT {

    private static final Optional<String> INIT = Optional.empty();
    private static final Optional<String> EXEC = Optional.of("e");
    private static final Stdio STREAMS = ShimStreams.attached(false, false, false);

    /// How long a deletion waits for the rest of the output.
    private static final Duration DRAIN = Duration.ofSeconds(10);

    /// More than a command takes to start.
    private static final int MOST_MISSING = 30;

    private ShimNode node;
    private Container container;

    Path binary() {
        return GantryShimIT.built();
    }

    @BeforeEach
    void open() throws IOException {
        node = new ShimNode(binary());
        container = node.withoutFifos("a", Optional.empty(), false, "/bin/sleep", "1000");
        container.create(STREAMS);
        container.start();
    }

    @AfterEach
    void close() throws Exception {
        if (node != null) {
            node.end();
        }
    }

    private void exec(String... command) {
        container.shim.exec("a", "e", Json.write(ShimNode.process(false, command)), STREAMS);
    }

    @Test
    void aDeletionDoesNotWaitForeverForOutputThatSomebodyMayStillWrite() throws Exception {
        exec("/bin/sh", "-c", "sleep 1001 & exit 3");
        container.shim.startExec("a", "e");
        assertThat(container.shim.wait("a", EXEC).get(20, TimeUnit.SECONDS).status())
                .isEqualTo(3);
        long begin = System.nanoTime();

        CompletableFuture<Exit> deletion = CompletableFuture.supplyAsync(() -> container.shim.delete("a", EXEC));

        while (!deletion.isDone()) { // meanwhile it is there for others
            assertThat(container.shim.state("a", INIT, Duration.ofSeconds(1)).status())
                    .isEqualTo(TaskStatus.RUNNING);
            Thread.sleep(100);
        }
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isBetween(DRAIN.minusMillis(100), DRAIN.plusSeconds(5));
        assertThat(deletion.join().status()).isEqualTo(3);
        assertThatThrownBy(() -> container.shim.state("a", EXEC)).isInstanceOf(ShimException.NotFound.class);
        assertThat(container.shim.pids("a"))
                .as("the sleeper is no business of the deletion")
                .hasSize(2);
    }

    @Test
    void aCommandForWhichThereAreNoDescriptorsFailsAndHurtsNobody() throws Exception {
        int open = descriptors();
        int missing = 0;
        for (boolean started = false; !started; missing++) {
            limit(open + missing);
            exec("/bin/sh", "-c", "exit 4");
            var failure = catchThrowableOfType(ShimException.Rejected.class, () -> container.shim.startExec("a", "e"));
            started = failure == null;
            if (failure != null) {
                assertThat(failure)
                        .hasMessage(
                                "cannot start exec e in container a: cannot start the process: Too many open files");
            }
            int expected = started ? 4 : 255;
            assertThat(container.shim.wait("a", EXEC).get(20, TimeUnit.SECONDS).status())
                    .isEqualTo(expected);
            assertThat(container.shim.delete("a", EXEC).status()).isEqualTo(expected);
            assertThat(descriptors()).isEqualTo(open);
            assertThat(container.shim.state("a", INIT).status()).isEqualTo(TaskStatus.RUNNING);
        }
        assertThat(missing).isBetween(2, MOST_MISSING);
    }

    @Test
    void theEndOfAContainerIsToldWithoutDescriptors() throws Exception {
        limit(descriptors());

        container.shim.kill("a", INIT, 9, true);

        assertThat(container.await().status()).isEqualTo(137);
        assertThat(node.events.poll(20, TimeUnit.SECONDS)).isEqualTo("exit a - 137");
        limit(1024);
        assertThat(container.remove().status()).isEqualTo(137);
    }

    /// Sets the soft limit alone, which runc raises for itself.
    private void limit(int descriptors) throws Exception {
        Process prlimit = new ProcessBuilder(
                        "prlimit", "--pid", Integer.toString(container.shim.shimPid()), "--nofile=" + descriptors + ":")
                .inheritIO()
                .start();
        assertThat(prlimit.waitFor()).isZero();
    }

    private int descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc", Integer.toString(container.shim.shimPid()), "fd"))) {
            return (int) open.count();
        }
    }
}
