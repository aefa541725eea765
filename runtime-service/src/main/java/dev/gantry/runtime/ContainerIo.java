package dev.gantry.runtime;

import dev.gantry.shim.Stdio;
import java.util.concurrent.CompletableFuture;

/// The streams of a container: where the shim sends them, and the log they end in.
///
/// Whoever holds the far end decides the implementation: for shims that know FIFOs alone the daemon reads and writes
/// the log itself. Thread-safe.
interface ContainerIo extends AutoCloseable {

    /// What the shim is told in Create.
    Stdio stdio();

    /// Goes on in a new log file of the same name; it exists when the call returns.
    void reopenLog();

    /// Completed when all output has been read to its end; what hangs on it must not block.
    CompletableFuture<Void> drained();

    /// Gives everything back; output that was not read yet is lost.
    @Override
    void close();
}
