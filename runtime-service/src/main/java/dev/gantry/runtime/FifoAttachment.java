package dev.gantry.runtime;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/// A client of a container's FIFOs: has a queue of its own, so that it holds up neither the log nor others.
final class FifoAttachment implements ProcessIo.Attachment {

    /// What all clients of all containers may be behind together: they share the daemon's heap.
    private static final long ALL_BEHIND = 6 << 20;

    private static final AtomicLong allBehind = new AtomicLong();

    /// @param bytes none at the end of the stream
    private record Waiting(LogStream stream, ByteBuffer bytes) {}

    private final ProcessIo.Wanted wanted;
    private final ProcessIo.Output output;
    private final FifoInput input;
    private final boolean endsInput;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    /// Held while output is delivered, so that it comes one call at a time; guards what follows.
    private final ReentrantLock lock = new ReentrantLock();

    private final Deque<Waiting> queue = new ArrayDeque<>();
    private final Set<LogStream> open;
    private long behind;
    private boolean paused;
    private boolean closed;
    private volatile CompletableFuture<Void> written = CompletableFuture.completedFuture(null);

    /// @param open      the streams of the process that have not ended
    /// @param endsInput whether the process's stdin ends with this client's
    FifoAttachment(
            ProcessIo.Wanted wanted, ProcessIo.Output output, Set<LogStream> open, FifoInput input, boolean endsInput) {
        this.wanted = wanted;
        this.output = output;
        this.open = EnumSet.copyOf(open);
        this.input = input;
        this.endsInput = endsInput;
    }

    /// Output of the process, on the poll thread.
    void data(LogStream stream, ByteBuffer bytes) {
        lock.lock();
        try {
            if (closed || !wanted.wants(stream)) {
                return;
            }
            if (!paused && queue.isEmpty()) {
                output.data(stream, bytes);
                return;
            }
            account(bytes.remaining());
            if (behind > ProcessIo.MAX_BEHIND || allBehind.get() > ALL_BEHIND) {
                detach("it was too far behind the container's output: attach again");
                return;
            }
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            queue.add(new Waiting(stream, ByteBuffer.wrap(copy)));
        } finally {
            lock.unlock();
        }
    }

    /// The process has closed the stream.
    void end(LogStream stream) {
        lock.lock();
        try {
            if (open.remove(stream) && wanted.wants(stream)) {
                queue.add(new Waiting(stream, ByteBuffer.allocate(0)));
            }
            deliver();
        } finally {
            lock.unlock();
        }
    }

    private void deliver() {
        while (!paused && !closed && !queue.isEmpty()) {
            Waiting next = queue.remove();
            account(-next.bytes().remaining());
            if (next.bytes().hasRemaining()) {
                output.data(next.stream(), next.bytes());
            } else {
                output.end(next.stream());
            }
        }
        if (!closed && queue.isEmpty() && open.isEmpty()) {
            done.complete(null);
        }
    }

    private void account(int change) {
        behind += change;
        allBehind.addAndGet(change);
    }

    /// Nothing is delivered from now on.
    void detach(String why) {
        lock.lock();
        try {
            closed = true;
            queue.clear();
            allBehind.addAndGet(-behind);
            behind = 0;
        } finally {
            lock.unlock();
        }
        done.completeExceptionally(new ContainerException.Failed("the client was detached: " + why, null));
    }

    @Override
    public CompletableFuture<Void> write(ByteBuffer bytes) {
        if (!wanted.stdin()) {
            return CompletableFuture.failedFuture(
                    new ContainerException.WrongState("cannot write to stdin: the client did not attach to it"));
        }
        written = input.write(bytes);
        return written;
    }

    @Override
    public void endInput() {
        if (wanted.stdin() && endsInput) {
            var _ = written.whenComplete((_, _) -> input.end());
        }
    }

    @Override
    public void pause() {
        lock.lock();
        try {
            paused = true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void resume() {
        lock.lock();
        try {
            paused = false;
            deliver();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public CompletableFuture<Void> done() {
        return done.copy();
    }

    @Override
    public void close() {
        written.cancel(false);
        endInput();
        detach("it has left");
    }
}
