package dev.gantry.linux;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;

/// A descriptor that the [Poller] writes.
final class PolledOutput extends PolledFd implements Poller.Output {

    /// Bytes to be written, and who waits for it.
    private final class Chunk extends CompletableFuture<Void> {
        final ByteBuffer bytes;

        Chunk(ByteBuffer bytes) {
            this.bytes = bytes;
        }

        /// Whoever hears of it may use the buffer for something else at once.
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            takeBack(this);
            return super.cancel(mayInterruptIfRunning);
        }
    }

    // Guards what follows.
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Chunk> queue = new ArrayDeque<>();
    private int queued;
    private boolean ended;
    /// The queue was emptied by others than the poll thread, which may be on its way here all the same.
    private boolean emptied;

    PolledOutput(Poller poller, Fd fd, long id) {
        super(poller, fd, id);
    }

    @Override
    public boolean offer(ByteBuffer bytes) {
        lock.lock();
        try {
            if (ended || isClosed() || queued + bytes.remaining() > Poller.BUFFER) {
                return false;
            }
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            add(new Chunk(ByteBuffer.wrap(copy)));
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public CompletableFuture<Void> write(ByteBuffer bytes) {
        Chunk chunk = new Chunk(bytes);
        lock.lock();
        try {
            if (ended || isClosed()) {
                chunk.completeExceptionally(closedFailure());
            } else {
                add(chunk);
            }
        } finally {
            lock.unlock();
        }
        return chunk;
    }

    private void takeBack(Chunk chunk) {
        lock.lock();
        try {
            if (queue.remove(chunk)) {
                queued -= chunk.bytes.remaining();
                if (queue.isEmpty()) {
                    emptied = true;
                    poller.expect(this, false, false);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void add(Chunk chunk) {
        queue.add(chunk);
        queued += chunk.bytes.remaining();
        if (queue.size() == 1) {
            poller.expect(this, false, true);
        }
    }

    @Override
    void ready(ByteBuffer buffer) {
        Chunk written = null;
        lock.lock();
        try {
            Chunk chunk = queue.peek();
            if (chunk != null) {
                queued -= fd.write(chunk.bytes);
            }
            if (chunk != null && !chunk.bytes.hasRemaining()) {
                queue.remove();
                written = chunk;
            }
            if (chunk == null && emptied) {
                emptied = false; // Gone readers would be reported again.
            } else if (chunk == null) {
                // Nothing to write and yet woken: the readers have gone (EPOLLERR cannot be masked).
                close();
            } else if (queue.isEmpty()) {
                poller.expect(this, false, false);
            }
        } finally {
            lock.unlock();
        }
        if (written != null) {
            written.complete(null);
        }
    }

    @Override
    void failed(RuntimeException failure) {
        end(failure);
    }

    @Override
    boolean releasing() {
        end(closedFailure());
        return true;
    }

    @Override
    void released() {
        // Its writers were told before.
    }

    private void end(RuntimeException failure) {
        Deque<Chunk> unwritten;
        lock.lock();
        try {
            ended = true;
            unwritten = new ArrayDeque<>(queue);
            queue.clear();
        } finally {
            lock.unlock();
        }
        unwritten.forEach(chunk -> chunk.completeExceptionally(failure));
    }

    private ErrnoException closedFailure() {
        return new ErrnoException("cannot write to closed " + fd, Errno.EBADF);
    }
}
