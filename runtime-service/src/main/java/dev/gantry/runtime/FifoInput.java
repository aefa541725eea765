package dev.gantry.runtime;

import dev.gantry.shim.StdioFifos;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The stdin of a process whose shim passes it through a FIFO. Thread-safe.
final class FifoInput {

    private static final Logger log = LoggerFactory.getLogger(FifoInput.class);

    private final StdioFifos fifos;
    private final Runnable closeInShim;
    private final Executor worker;
    private final AtomicBoolean ended = new AtomicBoolean();

    /// @param closeInShim makes the shim let go of its end; blocks
    FifoInput(StdioFifos fifos, Runnable closeInShim, Executor worker) {
        this.fifos = fifos;
        this.closeInShim = closeInShim;
        this.worker = worker;
    }

    CompletableFuture<Void> write(ByteBuffer bytes) {
        return fifos.stdin()
                .map(it -> it.write(bytes))
                .orElseGet(() -> CompletableFuture.failedFuture(
                        new ContainerException.WrongState("cannot write to stdin: the process has none")));
    }

    /// The process sees the end as soon as it has read what is in the FIFO.
    void end() {
        if (fifos.stdin().isEmpty() || !ended.compareAndSet(false, true)) {
            return;
        }
        try {
            worker.execute(this::close);
        } catch (RejectedExecutionException _) {
            log.debug("stdin stays open: the daemon is ending");
        }
    }

    private void close() {
        try {
            closeInShim.run();
        } catch (RuntimeException e) {
            log.atDebug().setCause(e).log("the shim did not close a stdin: the process has ended");
        } finally {
            fifos.closeStdin();
        }
    }
}
