package dev.gantry.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow.Subscription;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The body of an answer, read by one thread while it arrives: at most [#WINDOW] pieces (of 16 KiB) wait in memory.
///
/// Unlike the stream that the JDK has for this, a read ends with [HttpTimeoutException] when nothing arrives for
/// too long, and more than one piece may be on its way, so that reader and network do not take turns.
final class BodyStream extends InputStream implements BodySubscriber<InputStream> {

    private static final int WINDOW = 16;
    private static final List<ByteBuffer> END = List.of();

    /// At a rest of this size it is cheaper to read on and keep the connection than to make a new one.
    private static final int DRAIN_LIMIT = 64 * 1024;

    private final Duration patience;
    private final BlockingQueue<List<ByteBuffer>> arrived = new LinkedBlockingQueue<>();
    private final CompletableFuture<Subscription> subscribed = new CompletableFuture<>();
    private volatile @Nullable Throwable failure;

    // Of the reading thread.
    private List<ByteBuffer> pieces = List.of();
    private int piece;
    private boolean ended;

    BodyStream(Duration patience) {
        this.patience = patience;
    }

    @Override
    public CompletionStage<InputStream> getBody() {
        return CompletableFuture.completedStage(this);
    }

    @Override
    public void onSubscribe(Subscription subscription) {
        subscribed.complete(subscription);
        subscription.request(WINDOW);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        arrived.add(buffers.isEmpty() ? List.of(ByteBuffer.allocate(0)) : buffers);
    }

    @Override
    public void onError(Throwable cause) {
        failure = cause;
        arrived.add(END);
    }

    @Override
    public void onComplete() {
        arrived.add(END);
    }

    @Override
    public int read() throws IOException {
        ByteBuffer next = next();
        return next == null ? -1 : next.get() & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        ByteBuffer next = next();
        if (next == null) {
            return -1;
        }
        int count = 0;
        while (next != null && count < length) {
            int step = Math.min(length - count, next.remaining());
            next.get(bytes, offset + count, step);
            count += step;
            next = nextAtHand();
        }
        return count;
    }

    /// As [#next], but null rather than waiting.
    private @Nullable ByteBuffer nextAtHand() throws IOException {
        if (piece < pieces.size() && pieces.get(piece).hasRemaining()) {
            return pieces.get(piece);
        }
        boolean more = piece + 1 < pieces.size() || (!ended && !arrived.isEmpty() && failure == null);
        return more ? next() : null;
    }

    /// A piece with something left in it, or null at the end.
    private @Nullable ByteBuffer next() throws IOException {
        while (true) {
            while (piece < pieces.size()) {
                if (pieces.get(piece).hasRemaining()) {
                    return pieces.get(piece);
                }
                piece++;
            }
            if (ended) {
                return null;
            }
            fetch();
        }
    }

    @SuppressWarnings("ReferenceEquality") // END is told from other empty lists by its identity
    private void fetch() throws IOException {
        List<ByteBuffer> next;
        try {
            next = arrived.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the body");
        }
        if (next == null) {
            throw new HttpTimeoutException("nothing arrived for " + patience);
        }
        if (next == END) {
            ended = true;
            Throwable cause = failure;
            if (cause != null) {
                throw new IOException("the body broke off", cause);
            }
            return;
        }
        pieces = next;
        piece = 0;
        subscribed.join().request(1);
    }

    @Override
    public void close() {
        if (!ended) {
            ended = true;
            CompletableFuture<?> _ = subscribed.thenAccept(Subscription::cancel);
        }
    }

    /// Closes, but reads a short rest first, so that the connection can be used again.
    void drain() {
        byte[] rest = new byte[4096];
        try (this) {
            int count = 0;
            int total = 0;
            while (total < DRAIN_LIMIT && (count = read(rest, 0, rest.length)) >= 0) {
                total += count;
            }
        } catch (IOException _) {
            return; // then the connection is gone; nobody wanted the rest
        }
    }
}
