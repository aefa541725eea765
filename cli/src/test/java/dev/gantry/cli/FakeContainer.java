package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A container of a [FakeNode], and what its program can do.
final class FakeContainer {

    final String id;
    final String pod;
    final ContainerConfig config;
    final Path log;
    final long created = nanos();
    volatile ContainerState state = ContainerState.CONTAINER_CREATED;
    volatile long started;
    volatile long finished;
    volatile int exitCode;
    volatile String reason = "";
    volatile @Nullable Thread thread;

    private final CountDownLatch stopped = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    FakeContainer(String id, String pod, ContainerConfig config, Path log) {
        this.id = id;
        this.pod = pod;
        this.config = config;
        this.log = log;
    }

    /// Writes a line as CRI has it: time, stream, tag, text.
    void say(String text) {
        log("stdout F " + text);
    }

    void complain(String text) {
        log("stderr F " + text);
    }

    private void log(String rest) {
        try {
            Files.writeString(
                    log, Instant.now() + " " + rest + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Waits for the stop signal, and ends with the code of a process that heeded it.
    int untilStopped() throws InterruptedException {
        stopped.await();
        return 143;
    }

    void run(FakeNode.Program program) {
        thread = Thread.currentThread();
        int code;
        try {
            code = program.run(this);
        } catch (InterruptedException e) {
            code = 137;
        }
        finish(code);
    }

    private void finish(int code) {
        exitCode = code;
        reason = code == 0 ? "Completed" : "Error";
        finished = nanos();
        state = ContainerState.CONTAINER_EXITED;
        ended.countDown();
    }

    void stop(long graceSeconds) {
        if (state != ContainerState.CONTAINER_RUNNING) {
            return;
        }
        stopped.countDown();
        Thread running = thread;
        try {
            if (!ended.await(graceSeconds, TimeUnit.SECONDS) && running != null) {
                running.interrupt();
                ended.await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    static long nanos() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }
}
