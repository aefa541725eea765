package dev.gantry.runtime;

import dev.gantry.shim.AttachedStreams;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A client of streams that the shim serves.
final class ShimAttachment implements ProcessIo.Attachment, AttachedStreams.Sink {

    private final ProcessIo.Wanted wanted;
    private final ProcessIo.Output output;
    private final boolean endsInput;
    /// The streams whose end has not come yet; the thread that serves the clients alone looks at it.
    private final Set<LogStream> open;

    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private volatile @Nullable AttachedStreams streams;
    private volatile boolean left;

    /// @param endsInput whether the process's stdin ends with this client's
    ShimAttachment(ProcessIo.Wanted wanted, ProcessIo.Output output, boolean terminal, boolean endsInput) {
        this.wanted = wanted;
        this.output = output;
        this.endsInput = endsInput;
        this.open = terminal ? EnumSet.of(LogStream.STDOUT) : EnumSet.allOf(LogStream.class);
    }

    /// The connection over which output is on its way already.
    void use(AttachedStreams connection) {
        streams = connection;
        var _ = connection
                .closed()
                .thenAccept(
                        _ -> fail("the shim closed its connection, as it was too far behind or the shim has ended"));
        var _ = done.whenComplete((_, _) -> connection.close());
    }

    @Override
    public void data(int stream, ByteBuffer bytes) {
        LogStream from = stream(stream);
        if (!left && wanted.wants(from)) {
            output.data(from, bytes);
        }
    }

    @Override
    public void end(int stream) {
        LogStream from = stream(stream);
        if (open.remove(from) && !left && wanted.wants(from)) {
            output.end(from);
        }
        if (open.isEmpty()) {
            done.complete(null);
        }
    }

    private static LogStream stream(int number) {
        return number == 1 ? LogStream.STDOUT : LogStream.STDERR;
    }

    private AttachedStreams connection() {
        AttachedStreams present = streams;
        if (present == null) {
            throw new IllegalStateException("the client is not connected yet");
        }
        return present;
    }

    @Override
    public CompletableFuture<Void> write(ByteBuffer bytes) {
        if (!wanted.stdin()) {
            return CompletableFuture.failedFuture(
                    new ContainerException.WrongState("cannot write to stdin: the client did not attach to it"));
        }
        return connection().write(bytes);
    }

    @Override
    public void endInput() {
        if (wanted.stdin() && endsInput) {
            connection().endInput();
        }
    }

    @Override
    public void pause() {
        connection().pause();
    }

    @Override
    public void resume() {
        connection().resume();
    }

    @Override
    public CompletableFuture<Void> done() {
        return done.copy();
    }

    /// The shim ends the input of a process with the client that it belongs to.
    @Override
    public void close() {
        detach("it has left");
    }

    void detach(String why) {
        left = true;
        fail(why);
    }

    private void fail(String why) {
        done.completeExceptionally(new ContainerException.Failed("the client was detached: " + why, null));
    }
}
