package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Deque;

/// Bytes of a client on their way to something that may be slower: one piece is under way at a time, a few wait, and
/// then the client is not read any more. On the event loop only.
final class InputQueue {

    private static final int MANY = 128 << 10;
    private static final int FEW = 32 << 10;

    /// Where the bytes go.
    interface Sink {

        /// Takes a piece; [InputQueue#next] is called when it has been passed on. Owns the bytes.
        void pass(ByteBuf bytes);

        /// All has been passed on, and no more will come.
        void end();
    }

    private final ClientReading reading;
    private final Deque<ByteBuf> waiting = new ArrayDeque<>();
    private final Sink sink;
    private long size;
    private boolean open;
    private boolean busy;
    private boolean holding;
    private boolean ended;
    private boolean closed;

    /// Passes nothing on before [#open].
    InputQueue(ClientReading reading, Sink sink) {
        this.reading = reading;
        this.sink = sink;
    }

    /// Owns the bytes.
    void add(ByteBuf bytes) {
        if (closed || ended || !bytes.isReadable()) {
            bytes.release();
            return;
        }
        waiting.add(bytes);
        size += bytes.readableBytes();
        if (size > MANY && !holding) {
            holding = true;
            reading.hold();
        }
        passOn();
    }

    /// The client sends no more.
    void end() {
        if (!ended && !closed) {
            ended = true;
            passOn();
        }
    }

    /// The other side is there now.
    void open() {
        open = true;
        passOn();
    }

    /// The piece under way has been passed on.
    void next() {
        busy = false;
        passOn();
    }

    /// Drops what waits, and all that still comes.
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        waiting.forEach(ByteBuf::release);
        waiting.clear();
        size = 0;
        readOn();
    }

    private void passOn() {
        if (!open || busy || closed) {
            return;
        }
        ByteBuf bytes = waiting.poll();
        if (bytes != null) {
            busy = true;
            size -= bytes.readableBytes();
            readOn();
            sink.pass(bytes);
        } else if (ended) {
            closed = true;
            sink.end();
        }
    }

    private void readOn() {
        if (holding && size <= FEW) {
            holding = false;
            reading.release();
        }
    }
}
