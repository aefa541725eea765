package dev.gantry.runtime;

import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The streaming server and the addresses under which it serves a request, once each. The server is made when the first
/// stream is asked for: most nodes need none for long. Thread-safe.
final class Streaming implements AutoCloseable {

    private final StreamingSettings settings;
    private final StreamTokens tokens;
    private final StreamSessions sessions;
    private final ReentrantLock lock = new ReentrantLock();
    /// Guarded by the lock, as what follows.
    private @Nullable StreamingServer server;

    private boolean closed;

    Streaming(StreamingSettings settings, StreamTokens tokens, StreamSessions sessions) {
        this.settings = settings;
        this.tokens = tokens;
        this.sessions = sessions;
    }

    /// Where a client gets what it asked for.
    String address(StreamRequest request) {
        String base = server().address();
        return "%s/%s/%s".formatted(base, request.path(), tokens.issue(request));
    }

    private StreamingServer server() {
        lock.lock();
        try {
            if (closed) {
                throw new ContainerException.Failed("cannot serve streams: the daemon is shutting down", null);
            }
            StreamingServer running = server;
            if (running == null) {
                running = StreamingServer.start(settings, () -> new StreamingHandshake(tokens, sessions));
                server = running;
            }
            return running;
        } finally {
            lock.unlock();
        }
    }

    /// Ends all streams.
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            if (server != null) {
                server.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
