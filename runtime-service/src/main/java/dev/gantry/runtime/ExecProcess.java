package dev.gantry.runtime;

import dev.gantry.linux.Signals;
import dev.gantry.shim.Exit;
import dev.gantry.shim.Shim;
import dev.gantry.shim.ShimException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A process added to a running container, from before its start until nothing is left of it.
///
/// All methods that ask the shim block. Closing it does not end the process: that is for whoever waits to decide, but
/// for one whose start nobody waits for any more.
final class ExecProcess implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ExecProcess.class);

    /// How long a killed process may take to be gone.
    static final Duration DEATH = Duration.ofSeconds(10);

    private final Shim shim;
    private final String container;
    private final String id;
    private final ProcessIo io;
    private final CompletableFuture<Exit> exit;
    private volatile @Nullable Abandoned abandoned;

    /// A start that nobody waits for.
    ///
    /// @param ended done when nothing runs any more
    private record Abandoned(CompletableFuture<Exit> ended, Executor later) {}

    private ExecProcess(Shim shim, String container, String id, ProcessIo io, CompletableFuture<Exit> exit) {
        this.shim = shim;
        this.container = container;
        this.id = id;
        this.io = io;
        this.exit = exit;
    }

    /// Makes the process; [#start] runs it. Owns the streams from now on, also when it throws.
    ///
    /// @param process the `process` object of the OCI runtime specification
    static ExecProcess add(Shim shim, String container, String id, byte[] process, ProcessIo io) {
        try {
            shim.exec(container, id, process, io.stdio());
            return new ExecProcess(shim, container, id, io, shim.wait(container, Optional.of(id)));
        } catch (RuntimeException e) {
            io.close();
            throw e;
        }
    }

    ProcessIo io() {
        return io;
    }

    /// How the process ends; completed on a thread that must not be blocked.
    CompletableFuture<Exit> exit() {
        return exit;
    }

    void start() {
        shim.startExec(container, id);
    }

    /// As [#start], within a time. A shim cannot be told to give a start up: when the time passes first, or the waiting
    /// is interrupted, the process is killed as soon as it runs.
    ///
    /// @param later kills and removes it then; platform threads
    void start(Duration within, Executor later) throws InterruptedException, TimeoutException {
        CompletableFuture<Integer> start = shim.beginExec(container, id);
        try {
            var _ = start.get(within.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ShimException failure) {
                throw failure;
            }
            throw new IllegalStateException("cannot start a command", e);
        } catch (InterruptedException | TimeoutException e) {
            abandoned = new Abandoned(
                    start.thenRunAsync(this::kill, later)
                            .thenCompose(_ -> exit.copy().orTimeout(DEATH.toMillis(), TimeUnit.MILLISECONDS)),
                    later);
            throw e;
        }
    }

    void resize(int width, int height) {
        shim.resizePty(container, Optional.of(id), width, height);
    }

    /// What a terminal does to its processes when the line is gone: they end unless they chose not to.
    void hangUp() {
        signal(Signals.HUP);
    }

    void kill() {
        signal(Signals.KILL);
    }

    private void signal(int signal) {
        try {
            shim.kill(container, Optional.of(id), signal, false);
        } catch (ShimException.NotFound _) {
            // It has just ended.
        } catch (ShimException e) {
            log.atWarn()
                    .addKeyValue("container", container)
                    .addKeyValue("signal", signal)
                    .setCause(e)
                    .log("cannot signal a command");
        }
    }

    /// Removes the process, which has ended or never began, and gives its streams back; one whose start was given up
    /// once it has ended, behind the caller's back.
    @Override
    public void close() {
        Abandoned start = abandoned;
        if (start == null) {
            remove();
        } else {
            var _ = start.ended().whenCompleteAsync((_, _) -> remove(), start.later());
        }
    }

    private void remove() {
        try {
            shim.delete(container, Optional.of(id));
        } catch (ShimException.NotFound _) {
            // The start failed, or the container has ended and took it along.
        } catch (ShimException e) {
            log.atWarn()
                    .addKeyValue("container", container)
                    .setCause(e)
                    .log("the shim did not delete an ended command");
        } finally {
            io.close();
        }
    }
}
