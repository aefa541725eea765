package dev.gantry.shim;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.cri.ttrpc.Response;
import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A client's connection to the streams of one process: one that began as a ttrpc call and, once that was answered,
/// carries frames of a u8 stream, a u32 length (big-endian) and the bytes.
///
/// No method blocks. Thread-safe.
public final class AttachedStreams implements TtrpcLoop.Handler, AutoCloseable {

    /// Takes output, on the thread that serves all attached clients, which it must not block.
    public interface Sink {

        /// @param stream 1 stdout, 2 stderr; a terminal has 1 only
        /// @param bytes valid during the call only
        void data(int stream, ByteBuffer bytes);

        /// No more will come on this stream.
        void end(int stream);
    }

    private static final int STREAMS = 2;

    /// Of the frames that carry output.
    private static final int HEADER = 5;

    /// How many times one connection may fill the buffer before another has its turn.
    private static final int READS_IN_A_ROW = 4;

    private final SocketChannel channel;
    private final TtrpcLoop loop;
    private final Sink sink;
    private final AttachedInput input;
    private final CompletableFuture<Response> answered = new CompletableFuture<>();
    private final CompletableFuture<IOException> closed = new CompletableFuture<>();
    private final Object lock = new Object();
    private @Nullable SelectionKey key; // guarded by lock
    private boolean paused; // guarded by lock

    // The loop's thread only, from here on.
    private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
    private byte @Nullable [] answer;
    private int filled;
    private int stream;
    private int remaining;
    private final boolean[] ended = new boolean[STREAMS + 1];

    private AttachedStreams(TtrpcLoop loop, SocketChannel channel, Sink sink) {
        this.loop = loop;
        this.channel = channel;
        this.sink = sink;
        this.input = new AttachedInput(channel);
    }

    /// Connects, and returns when the shim has agreed.
    static AttachedStreams open(
            String attempt, TtrpcLoop loop, Path socket, ByteString request, Sink sink, Duration within)
            throws IOException, InterruptedException {
        Deadline deadline = Deadline.in(within);
        SocketChannel channel = TtrpcClient.channel(socket, false, deadline);
        AttachedStreams streams = new AttachedStreams(loop, channel, sink);
        try {
            streams.input.raw(Frame.request(1, TtrpcClient.request(ShimStreams.SERVICE, "Attach", request, within))
                    .encode());
            synchronized (streams.lock) {
                streams.key = loop.register(channel, SelectionKey.OP_READ, streams);
            }
            streams.flush();
            var _ = ShimCalls.read(
                    attempt, ShimCalls.await(attempt, streams.answered, deadline.remaining()), Empty.parser());
            return streams;
        } catch (IOException | RuntimeException e) {
            streams.close();
            throw e;
        }
    }

    /// Queues input, in the order of the calls.
    ///
    /// @param bytes belong to this until the answer is done; cancelling that takes back what is not sent yet
    /// @return done when all of it was handed to the shim, which is never far ahead of what the process reads
    public CompletableFuture<Void> write(ByteBuffer bytes) {
        CompletableFuture<Void> written = input.add(bytes);
        flush();
        return written;
    }

    /// The process sees the end of its input after what was written before; a terminal's stays open.
    public void endInput() {
        input.end();
        flush();
    }

    /// Reads no more until [#resume]; a little that is on its way may still come.
    public void pause() {
        pause(true);
    }

    public void resume() {
        pause(false);
    }

    private void pause(boolean pause) {
        synchronized (lock) {
            paused = pause;
        }
        expect();
    }

    /// Completed, with the reason, when the connection has ended: the shim closes it after the end of all output, and
    /// before that if the client was too far behind. What hangs on it must not block.
    public CompletableFuture<IOException> closed() {
        return closed.copy();
    }

    @Override
    public void close() {
        close(new ClosedChannelException());
    }

    @Override
    public void stop() {
        close();
    }

    private void close(IOException reason) {
        synchronized (lock) {
            key = null;
        }
        input.close(reason);
        loop.wakeup(); // the descriptor stays open until the selector has seen it
        answered.completeExceptionally(reason);
        closed.complete(reason);
    }

    private void flush() {
        try {
            input.flush();
            expect();
        } catch (IOException e) {
            close(e);
        }
    }

    private void expect() {
        synchronized (lock) {
            SelectionKey present = key;
            if (present == null || !present.isValid()) {
                return;
            }
            int operations = (paused ? 0 : SelectionKey.OP_READ) | (input.waits() ? SelectionKey.OP_WRITE : 0);
            if (present.interestOps() != operations) {
                present.interestOps(operations);
                loop.wakeup();
            }
        }
    }

    @Override
    public void ready(SelectionKey key, ByteBuffer scratch) {
        try {
            if (key.isValid() && key.isWritable()) {
                flush();
            }
            for (int i = 0; i < READS_IN_A_ROW && key.isValid() && reads(); i++) {
                int count = channel.read(scratch.clear());
                if (count < 0) {
                    throw new EOFException("the shim closed the streams");
                }
                if (count == 0) {
                    return;
                }
                take(scratch.flip());
            }
        } catch (IOException e) {
            close(e);
        }
    }

    private boolean reads() {
        synchronized (lock) {
            return !paused;
        }
    }

    private void take(ByteBuffer bytes) throws ProtocolException {
        while (bytes.hasRemaining()) {
            if (!answered.isDone()) {
                takeAnswer(bytes);
            } else if (remaining == 0) {
                takeHeader(bytes);
            } else {
                int count = Math.min(remaining, bytes.remaining());
                sink.data(stream, bytes.slice(bytes.position(), count));
                bytes.position(bytes.position() + count);
                remaining -= count;
            }
        }
    }

    private void takeHeader(ByteBuffer bytes) throws ProtocolException {
        if (!fill(bytes, HEADER)) {
            return;
        }
        stream = header.get(0);
        remaining = header.getInt(1);
        header.clear();
        if (stream < 1 || stream > STREAMS || remaining < 0) {
            throw new ProtocolException("not a frame of a process's output: stream %d, length %s"
                    .formatted(stream, Integer.toUnsignedString(remaining)));
        }
        if (remaining == 0 && !ended[stream]) {
            ended[stream] = true;
            sink.end(stream);
        }
    }

    private void takeAnswer(ByteBuffer bytes) throws ProtocolException {
        byte[] whole = answer;
        if (whole == null) {
            if (!fill(bytes, Frame.HEADER)) {
                return;
            }
            int length = header.getInt(0);
            if (length < 0 || length > Frame.MAX_DATA || header.get(8) != Frame.RESPONSE) {
                throw new ProtocolException("no answer to Attach");
            }
            header.clear();
            whole = new byte[length];
            answer = whole;
        }
        int count = Math.min(whole.length - filled, bytes.remaining());
        bytes.get(whole, filled, count);
        filled += count;
        if (filled == whole.length) {
            try {
                answered.complete(Response.parseFrom(whole));
            } catch (InvalidProtocolBufferException e) {
                throw new ProtocolException("the answer to Attach is malformed");
            }
        }
    }

    private boolean fill(ByteBuffer bytes, int length) {
        while (header.position() < length && bytes.hasRemaining()) {
            header.put(bytes.get());
        }
        return header.position() == length;
    }
}
