package dev.gantry.linux;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;

/// A descriptor that the [Poller] reads.
final class PolledInput extends PolledFd implements Poller.Registration {

    private final Poller.Input input;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private boolean ended;
    /// Guards the two below.
    private final ReentrantLock lock = new ReentrantLock();

    private boolean paused;
    private boolean released;

    PolledInput(Poller poller, Fd fd, long id, Poller.Input input) {
        super(poller, fd, id);
        this.input = input;
    }

    @Override
    void ready(ByteBuffer buffer) {
        if (isPaused()) {
            return; // It was ready before it was taken out of the set.
        }
        int count = fd.read(buffer.clear());
        if (count > 0) {
            input.data(buffer.flip());
        } else if (count == 0) {
            end();
        }
    }

    private void end() {
        ended = true;
        try {
            input.end();
        } finally {
            poller.release(this);
        }
    }

    @Override
    void failed(RuntimeException failure) {
        if (!ended && !isClosed()) {
            ended = true;
            try {
                input.end();
            } catch (RuntimeException second) {
                failure.addSuppressed(second);
            }
        }
    }

    @Override
    boolean releasing() {
        ended = true;
        lock.lock();
        try {
            released = true;
            return !paused;
        } finally {
            lock.unlock();
        }
    }

    private boolean isPaused() {
        lock.lock();
        try {
            return paused;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void pause() {
        pause(true);
    }

    @Override
    public void resume() {
        pause(false);
    }

    private void pause(boolean pause) {
        lock.lock();
        try {
            if (paused != pause && !released) {
                paused = pause;
                poller.watch(this, !pause);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    void released() {
        done.complete(null);
    }

    @Override
    public CompletableFuture<Void> done() {
        return done;
    }
}
