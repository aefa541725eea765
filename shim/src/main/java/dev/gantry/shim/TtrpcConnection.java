package dev.gantry.shim;

import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// A connected socket that carries frames both ways. Any thread may send; what arrives is handed to the peer
/// on the loop's thread.
///
/// A frame that does not fit the socket's buffer is queued, so no sender ever waits; a peer that reads
/// nothing while the queue grows beyond [#MAX_QUEUED] makes sending fail.
final class TtrpcConnection implements TtrpcLoop.Handler {

    /// One end of the conversation.
    interface Peer extends FrameReader.Sink {

        /// The last thing that is called, exactly once, on whichever thread closed the connection.
        void closed(IOException reason);
    }

    static final long MAX_QUEUED = 16 << 20;

    /// Larger writes would make the JDK keep a native buffer of that size for each writing thread.
    private static final int MAX_WRITE = 64 << 10;

    /// How many times one connection may fill the buffer before another has its turn.
    private static final int READS_IN_A_ROW = 16;

    private final TtrpcLoop loop;
    private final SocketChannel channel;
    private final Peer peer;
    private final FrameReader reader = new FrameReader(); // the loop's thread only
    private final Object lock = new Object();
    private final ArrayDeque<ByteBuffer> queue = new ArrayDeque<>(); // guarded by lock
    private long queued; // guarded by lock
    private boolean closed; // guarded by lock
    private @Nullable SelectionKey key; // guarded by lock

    TtrpcConnection(TtrpcLoop loop, SocketChannel channel, Peer peer) {
        this.loop = loop;
        this.channel = channel;
        this.peer = peer;
    }

    /// Begins to read.
    void open() throws IOException {
        synchronized (lock) {
            key = loop.register(channel, SelectionKey.OP_READ, this);
        }
    }

    /// Sends, or queues, one frame.
    ///
    /// @throws IOException if the connection is closed or its queue is full; nothing was sent
    void send(Frame frame) throws IOException {
        IOException failure;
        synchronized (lock) {
            if (closed) {
                throw new ClosedChannelException();
            }
            if (queued > MAX_QUEUED) {
                throw new IOException("the other side does not read");
            }
            ByteBuffer bytes = frame.encode();
            queue.add(bytes);
            queued += bytes.remaining();
            failure = flush();
        }
        if (failure != null) {
            close(failure);
            throw failure;
        }
    }

    /// Writes what the socket takes. The caller holds the lock, and closes the connection if a failure is
    /// returned.
    private @Nullable IOException flush() {
        if (closed) {
            return null;
        }
        try {
            while (!queue.isEmpty()) {
                ByteBuffer first = queue.getFirst();
                ByteBuffer slice = first.slice(first.position(), Math.min(first.remaining(), MAX_WRITE));
                int count = channel.write(slice);
                first.position(first.position() + count);
                queued -= count;
                if (!first.hasRemaining()) {
                    queue.removeFirst();
                } else if (slice.hasRemaining()) {
                    break;
                }
            }
            if (key != null && key.isValid()) {
                waitForRoom(key, !queue.isEmpty());
            }
            return null;
        } catch (IOException e) {
            return e;
        }
    }

    private void waitForRoom(SelectionKey key, boolean wanted) {
        int operations = wanted ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ;
        if (key.interestOps() != operations) {
            key.interestOps(operations);
            loop.wakeup();
        }
    }

    @Override
    public void ready(SelectionKey key, ByteBuffer scratch) {
        try {
            if (key.isValid() && key.isWritable()) {
                IOException failure;
                synchronized (lock) {
                    failure = flush();
                }
                if (failure != null) {
                    throw failure;
                }
            }
            if (key.isValid() && key.isReadable()) {
                read(scratch);
            }
        } catch (IOException e) {
            close(e);
        }
    }

    private void read(ByteBuffer scratch) throws IOException {
        for (int i = 0; i < READS_IN_A_ROW; i++) {
            int count = channel.read(scratch.clear());
            if (count < 0) {
                throw new EOFException("the other side closed the connection");
            }
            if (count == 0) {
                return;
            }
            reader.read(scratch.flip(), peer);
        }
    }

    @Override
    public void stop() {
        close(new ClosedChannelException());
    }

    /// Closes the socket and tells the peer; the second and later calls do nothing.
    void close(IOException reason) {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
            queue.clear();
            try {
                channel.close();
            } catch (IOException e) {
                reason.addSuppressed(e);
            }
        }
        loop.wakeup();
        peer.closed(reason);
    }

    /// A frame that has no business here.
    static ProtocolException unexpected(Frame frame) {
        return new ProtocolException("unexpected frame of type %d on stream %s"
                .formatted(frame.type(), Integer.toUnsignedString(frame.stream())));
    }
}
