package dev.gantry.linux;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/// A descriptor that the [Poller] reads.
final class PolledInput extends PolledFd implements Poller.Registration {

    private final Poller.Input input;
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private boolean ended;

    PolledInput(Poller poller, Fd fd, long id, Poller.Input input) {
        super(poller, fd, id);
        this.input = input;
    }

    @Override
    void ready(ByteBuffer buffer) {
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
    void releasing() {
        ended = true;
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
