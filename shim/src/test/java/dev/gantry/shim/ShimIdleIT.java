package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.shim.ShimNode.Container;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Our own shims after their daemon has gone for good. As this is a minute of waiting, other tests run meanwhile.
@Timeout(180)
@Execution(ExecutionMode.CONCURRENT)
class ShimIdleIT {

    private static final Optional<String> INIT = Optional.empty();
    private static final Stdio STREAMS = ShimStreams.attached(false, false, false);
    private static final Duration IDLE = Duration.ofSeconds(60);

    private ShimNode node;

    Path binary() {
        return GantryShimIT.built();
    }

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

    private Container shim(String id, String... arguments) throws IOException {
        return node.withoutFifos(id, Optional.empty(), false, arguments);
    }

    private Container running(String id, String... arguments) throws IOException {
        Container container = shim(id, arguments);
        container.create(STREAMS);
        container.start();
        return container;
    }

    @Test
    void thoseThatNobodyNeedsEndAfterAMinute() throws Exception {
        Container unused = shim("unused", "/bin/true");
        Container running = running("running", "/bin/sleep", "1000");
        Container ended = running("ended", "/bin/sh", "-c", "exit 3");
        Container forgotten = running("forgotten", "/bin/sh", "-c", "exit 4");
        ended.await();
        forgotten.await();
        assertThat(new ProcessBuilder("umount", forgotten.bundle.rootfs().toString())
                        .inheritIO()
                        .start()
                        .waitFor())
                .isZero();
        node.forget(forgotten);
        List<ProcessHandle> idle = List.of(process(unused), process(forgotten));

        node.crash();
        long begin = System.nanoTime();
        for (ProcessHandle shim : idle) {
            shim.onExit().get(IDLE.toSeconds() * 2, TimeUnit.SECONDS);
        }

        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isBetween(IDLE.minusSeconds(1), IDLE.plusSeconds(20));
        assertThat(unused.shim.bootstrap().socket()).doesNotExist();
        node.comeBack();
        for (Container container : List.of(running, ended)) {
            container.shim = node.shims().reconnect(container.bundle, container.id);
        }
        assertThat(running.shim.state("running", INIT).status()).isEqualTo(TaskStatus.RUNNING);
        assertThat(ended.await().status()).isEqualTo(3);
        Files.createDirectory(forgotten.bundle.directory()); // to clean up
    }

    private static ProcessHandle process(Container container) {
        return ProcessHandle.of(container.shim.shimPid()).orElseThrow();
    }
}
