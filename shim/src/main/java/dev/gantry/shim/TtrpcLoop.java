package dev.gantry.shim;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One thread that waits on many sockets: one for all ttrpc connections, however many shims there are, and another for
/// attached clients, whose output must not keep answers waiting. It cuts frames and hands them on; nothing that runs on
/// it may block.
final class TtrpcLoop implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(TtrpcLoop.class);

    /// What waits on a channel; called on the loop's thread only.
    interface Handler {

        /// @param scratch the loop's buffer, empty, for the time of the call
        void ready(SelectionKey key, ByteBuffer scratch);

        /// Called once for each handler that is registered when the loop is closed, or whose `ready` threw.
        void stop();
    }

    private final Selector selector;
    private final ByteBuffer scratch = ByteBuffer.allocateDirect(64 << 10);
    private final Thread thread;
    private volatile boolean closed;

    /// @param name of the thread
    TtrpcLoop(String name) {
        try {
            selector = Selector.open();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open a selector for ttrpc", e);
        }
        thread = Thread.ofPlatform().daemon().name(name).unstarted(this::run);
        thread.start();
    }

    /// Waits on a non-blocking channel from now on. Can be called on any thread.
    SelectionKey register(SelectableChannel channel, int operations, Handler handler) throws IOException {
        if (closed) {
            throw new IOException("ttrpc is closed");
        }
        SelectionKey key = channel.register(selector, operations, handler);
        selector.wakeup();
        return key;
    }

    /// Makes the loop look again at its keys: a key's operations changed, or a channel was closed, whose
    /// descriptor stays open until the selector has seen it.
    void wakeup() {
        selector.wakeup();
    }

    private void run() {
        try (selector) {
            while (!closed) {
                selector.select(this::handle);
            }
            for (SelectionKey key : selector.keys()) {
                ((Handler) key.attachment()).stop();
            }
            selector.selectNow(); // lets go of the descriptors of what was closed
        } catch (IOException | RuntimeException e) {
            log.error("ttrpc has stopped: no shim can be reached any more", e);
        }
    }

    private void handle(SelectionKey key) {
        Handler handler = (Handler) key.attachment();
        try {
            scratch.clear();
            handler.ready(key, scratch);
        } catch (RuntimeException | Error e) { // one connection's failure must not stop the others
            log.error("closing a ttrpc channel", e);
            handler.stop();
        }
    }

    /// Stops all handlers and ends the thread.
    @Override
    public void close() {
        closed = true;
        selector.wakeup();
        if (Thread.currentThread().equals(thread)) {
            return;
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
