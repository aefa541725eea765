package dev.gantry.shim;

import java.net.ProtocolException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Cuts a stream of bytes, which arrives in pieces of any size, into ttrpc frames. Not thread-safe.
final class FrameReader {

    /// Takes what was cut.
    interface Sink {

        void frame(Frame frame) throws ProtocolException;

        /// A frame whose data exceeds [Frame#MAX_DATA]; its data is being skipped.
        void oversized(int stream, byte type, int length) throws ProtocolException;
    }

    private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
    private byte @Nullable [] data;
    private int filled;
    private int toSkip;

    /// Consumes all of `bytes`.
    ///
    /// @throws ProtocolException if this is no ttrpc; nothing after it can be understood
    void read(ByteBuffer bytes, Sink sink) throws ProtocolException {
        while (bytes.hasRemaining()) {
            if (toSkip > 0) {
                skip(bytes);
            } else if (data == null) {
                header(bytes, sink);
            } else {
                data(bytes, sink);
            }
        }
    }

    private void skip(ByteBuffer bytes) {
        int count = Math.min(toSkip, bytes.remaining());
        bytes.position(bytes.position() + count);
        toSkip -= count;
    }

    private void header(ByteBuffer bytes, Sink sink) throws ProtocolException {
        while (header.hasRemaining() && bytes.hasRemaining()) {
            header.put(bytes.get());
        }
        if (header.hasRemaining()) {
            return;
        }
        int length = header.getInt(0);
        byte type = header.get(8);
        if (length < 0 || type < Frame.REQUEST || type > Frame.DATA) {
            throw new ProtocolException("not a ttrpc frame: length %s, type %d"
                    .formatted(Integer.toUnsignedString(length), Byte.toUnsignedInt(type)));
        }
        if (length > Frame.MAX_DATA) {
            int stream = header.getInt(4);
            header.clear();
            toSkip = length;
            sink.oversized(stream, type, length);
            return;
        }
        data = new byte[length];
        filled = 0;
        if (length == 0) {
            finish(data, sink);
        }
    }

    private void data(ByteBuffer bytes, Sink sink) throws ProtocolException {
        byte[] target = data;
        if (target == null) {
            return;
        }
        int count = Math.min(target.length - filled, bytes.remaining());
        bytes.get(target, filled, count);
        filled += count;
        if (filled == target.length) {
            finish(target, sink);
        }
    }

    private void finish(byte[] whole, Sink sink) throws ProtocolException {
        Frame frame = Frame.wrap(header.getInt(4), header.get(8), header.get(9), whole);
        data = null;
        header.clear();
        sink.frame(frame);
    }
}
