package dev.gantry.shim;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// What a client sends to a process, cut into frames as the socket takes them. Thread-safe.
final class AttachedInput {

    private static final int HEADER = 5;
    private static final int MAX_FRAME = 16 << 10;

    /// @param written completed when all of it is sent
    private record Chunk(ByteBuffer bytes, CompletableFuture<Void> written, boolean end) {}

    private final SocketChannel channel;
    private final ArrayDeque<Chunk> queue = new ArrayDeque<>(); // guarded by this, as what follows
    /// The frame being sent: a copy, so that what it was made of can be taken back at any moment.
    private ByteBuffer frame = ByteBuffer.allocate(0);

    private @Nullable IOException failure;
    private boolean ended;

    AttachedInput(SocketChannel channel) {
        this.channel = channel;
    }

    /// To be sent before anything else.
    synchronized void raw(ByteBuffer bytes) {
        frame = bytes;
    }

    CompletableFuture<Void> add(ByteBuffer bytes) {
        CompletableFuture<Void> written = new CompletableFuture<>();
        Chunk chunk = new Chunk(bytes, written, false);
        synchronized (this) {
            if (failure != null || ended) {
                IOException reason = failure == null ? new IOException("the input was ended") : failure;
                return CompletableFuture.failedFuture(reason);
            }
            if (!bytes.hasRemaining()) { // a frame without bytes means the end
                return CompletableFuture.completedFuture(null);
            }
            queue.add(chunk);
        }
        var _ = written.whenComplete((_, _) -> {
            if (written.isCancelled()) {
                takeBack(chunk);
            }
        });
        return written;
    }

    private synchronized void takeBack(Chunk chunk) {
        queue.remove(chunk);
    }

    /// No input comes after what was added before.
    synchronized void end() {
        if (failure == null && !ended) {
            ended = true;
            queue.add(new Chunk(ByteBuffer.allocate(0), new CompletableFuture<>(), true));
        }
    }

    /// Whether something is still to be sent.
    synchronized boolean waits() {
        return frame.hasRemaining() || !queue.isEmpty();
    }

    /// Sends what the socket takes.
    void flush() throws IOException {
        List<CompletableFuture<Void>> sent = new ArrayList<>();
        try {
            flush(sent);
        } finally {
            sent.forEach(it -> it.complete(null)); // without the lock: whoever waits may write the next at once
        }
    }

    private synchronized void flush(List<CompletableFuture<Void>> sent) throws IOException {
        if (failure != null) {
            throw failure;
        }
        while (true) {
            if (frame.hasRemaining()) {
                channel.write(frame);
                if (frame.hasRemaining()) {
                    return;
                }
            }
            Chunk first = queue.peek();
            if (first == null) {
                frame = ByteBuffer.allocate(0);
                return;
            }
            if (first.bytes().hasRemaining() || first.end()) {
                next(first.bytes());
            }
            if (!first.bytes().hasRemaining()) {
                queue.remove();
                sent.add(first.written());
            }
        }
    }

    private void next(ByteBuffer bytes) {
        int count = Math.min(bytes.remaining(), MAX_FRAME);
        ByteBuffer next = ByteBuffer.allocate(HEADER + count);
        next.put((byte) 0).putInt(count).put(bytes.slice(bytes.position(), count));
        bytes.position(bytes.position() + count);
        frame = next.flip();
    }

    /// Closes the socket; what was not sent fails.
    void close(IOException reason) {
        List<Chunk> unsent;
        synchronized (this) {
            if (failure != null) {
                return;
            }
            failure = reason;
            unsent = List.copyOf(queue);
            queue.clear();
            try {
                channel.close();
            } catch (IOException e) {
                reason.addSuppressed(e);
            }
        }
        unsent.forEach(it -> it.written().completeExceptionally(new ClosedChannelException()));
    }
}
