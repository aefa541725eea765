package dev.gantry.linux;

import java.nio.ByteBuffer;

/// One descriptor of the [Poller].
abstract class PolledFd {

    final Poller poller;
    final Fd fd;
    final long id;
    private volatile boolean closed;

    PolledFd(Poller poller, Fd fd, long id) {
        this.poller = poller;
        this.fd = fd;
        this.id = id;
    }

    /// On the poll thread: does one piece of work.
    abstract void ready(ByteBuffer buffer);

    /// On the poll thread: it failed and will be released.
    abstract void failed(RuntimeException failure);

    /// On the poll thread: the descriptor is about to be closed. Answers whether it is in the poll set.
    abstract boolean releasing();

    /// On the poll thread: the descriptor is closed.
    abstract void released();

    boolean isClosed() {
        return closed;
    }

    /// From any thread.
    public void close() {
        closed = true;
        if (poller.isPollThread()) {
            poller.release(this);
        } else {
            poller.wakeUp();
        }
    }
}
