package dev.gantry.runtime;

import dev.gantry.linux.Poller;
import dev.gantry.shim.Stdio;
import dev.gantry.shim.StdioFifos;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// The streams of an exec through FIFOs. Nothing is read before its client is there, nor while he pauses; when he has
/// left, what the process writes is read and dropped, or it would wait for ever.
final class FifoExecIo implements ProcessIo {

    private final StdioFifos fifos;
    private final FifoInput input;
    private final AtomicReference<@Nullable Client> client;

    private FifoExecIo(StdioFifos fifos, FifoInput input, AtomicReference<@Nullable Client> client) {
        this.fifos = fifos;
        this.input = input;
        this.client = client;
    }

    /// @param opening     makes the FIFOs
    /// @param closeInShim makes the shim let go of stdin; blocks
    static FifoExecIo open(
            BiFunction<Poller.Input, Poller.Input, StdioFifos> opening, Runnable closeInShim, Executor worker) {
        AtomicReference<@Nullable Client> client = new AtomicReference<>();
        StdioFifos fifos = opening.apply(from(LogStream.STDOUT, client), from(LogStream.STDERR, client));
        fifos.pause();
        return new FifoExecIo(fifos, new FifoInput(fifos, closeInShim, worker), client);
    }

    private static Poller.Input from(LogStream stream, AtomicReference<@Nullable Client> client) {
        return new Poller.Input() {
            @Override
            public void data(ByteBuffer bytes) {
                Client to = client.get();
                if (to != null) {
                    to.data(stream, bytes);
                }
            }

            @Override
            public void end() {
                Client to = client.get();
                if (to != null) {
                    to.end(stream);
                }
            }
        };
    }

    private final class Client implements Attachment {

        private final Wanted wanted;
        private final Output output;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private volatile CompletableFuture<Void> written = CompletableFuture.completedFuture(null);
        private volatile boolean left;

        Client(Wanted wanted, Output output) {
            this.wanted = wanted;
            this.output = output;
        }

        void data(LogStream stream, ByteBuffer bytes) {
            if (!left && wanted.wants(stream)) {
                output.data(stream, bytes);
            }
        }

        void end(LogStream stream) {
            if (!left && wanted.wants(stream)) {
                output.end(stream);
            }
        }

        @Override
        public CompletableFuture<Void> write(ByteBuffer bytes) {
            written = input.write(bytes);
            return written;
        }

        @Override
        public void endInput() {
            var _ = written.whenComplete((_, _) -> input.end());
        }

        @Override
        public void pause() {
            if (!left) {
                fifos.pause();
            }
        }

        @Override
        public void resume() {
            fifos.resume();
        }

        @Override
        public CompletableFuture<Void> done() {
            return done.copy();
        }

        @Override
        public void close() {
            left = true;
            written.cancel(false);
            endInput();
            fifos.resume();
            detach("it has left");
        }

        void detach(String why) {
            done.completeExceptionally(new ContainerException.Failed("the client was detached: " + why, null));
        }
    }

    @Override
    public Stdio stdio() {
        return fifos.stdio();
    }

    @Override
    public Attachment attach(Wanted wanted, Output output) {
        Client attached = new Client(wanted, output);
        if (!client.compareAndSet(null, attached)) {
            throw new IllegalStateException("an exec has one client, and it has come already");
        }
        var _ = fifos.drained().thenRun(() -> attached.done.complete(null));
        fifos.resume();
        return attached;
    }

    @Override
    public CompletableFuture<Void> drained() {
        return fifos.drained();
    }

    @Override
    public void close() {
        Client attached = client.get();
        if (attached != null) {
            attached.detach("the streams were closed");
        }
        fifos.delete();
    }
}
