package dev.gantry.runtime;

import dev.gantry.shim.Stdio;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/// The streams of a process, and how clients get at them.
///
/// Whoever holds the far end decides the implementation; nothing here says that the output passes through the daemon
/// unless somebody is attached. What the process had written before somebody attached is not told to him. Thread-safe.
interface ProcessIo extends AutoCloseable {

    /// How far a client may be behind a process that does not wait for it, in bytes.
    int MAX_BEHIND = 1 << 20;

    /// What the shim is told in Create or Exec.
    Stdio stdio();

    /// Connects a client. Call it after the process was made (Create, Exec) and, to miss nothing, before its start.
    ///
    /// An exec has one client, for whom it waits: while he pauses, the process is held up, and nothing is
    /// lost. A container has any number, and a log, and waits for none of them: one that is more than
    /// [#MAX_BEHIND] behind is detached. May block for a moment.
    ///
    /// @param output takes what the process writes; only the streams that were asked for
    Attachment attach(Wanted wanted, Output output);

    /// Completed when all output has been read to its end; what hangs on it must not block.
    CompletableFuture<Void> drained();

    /// Gives everything back and detaches the clients; output that was not read yet is lost.
    @Override
    void close();

    /// Which streams a client wants.
    record Wanted(boolean stdin, boolean stdout, boolean stderr) {

        boolean wants(LogStream stream) {
            return switch (stream) {
                case STDOUT -> stdout;
                case STDERR -> stderr;
            };
        }
    }

    /// Takes output, one call at a time, on a thread that it must not block.
    interface Output {

        /// The bytes are valid during the call only.
        void data(LogStream stream, ByteBuffer bytes);

        /// No more will come on this stream. A terminal has no stderr, whose end is not told then.
        void end(LogStream stream);
    }

    /// A client's hold on the streams. No method blocks.
    interface Attachment extends AutoCloseable {

        /// Passes input on, in the order of the calls.
        ///
        /// @param bytes belong to this until the answer is done; cancelling it takes them back
        /// @return done when the process's stdin has taken all of it: wait for that before the next call, or
        ///     what a process does not read piles up. Fails when stdin is closed or was not wanted
        CompletableFuture<Void> write(ByteBuffer bytes);

        /// The client sends no more. After what was written before, an exec sees the end of its input, and so does a
        /// container with `stdin_once`; another container's stdin stays open for the next client.
        void endInput();

        /// Asks for no more output until [#resume]; a little that is on its way may still come.
        void pause();

        void resume();

        /// Completed when all output that was asked for has been delivered to its end. Fails when the client was
        /// detached before: he was too far behind, or the streams were closed.
        CompletableFuture<Void> done();

        /// Lets go, and ends the input as [#endInput] does if stdin was wanted. What was not passed on is dropped.
        @Override
        void close();
    }
}
