package dev.gantry.shim;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;

/// One ttrpc frame: ten bytes of header (length, stream, type, flags; big-endian), then the data.
///
/// [PROTOCOL](https://github.com/containerd/ttrpc/blob/main/PROTOCOL.md)
record Frame(int stream, byte type, byte flags, ByteString data) {

    static final int HEADER = 10;

    /// The most data a frame may carry; a longer one is skipped and answered with an error.
    static final int MAX_DATA = 4 << 20;

    static final byte REQUEST = 1;
    static final byte RESPONSE = 2;
    static final byte DATA = 3;

    static final byte REMOTE_CLOSED = 1;
    static final byte REMOTE_OPEN = 2;

    static Frame request(int stream, ByteString data) {
        return new Frame(stream, REQUEST, (byte) 0, data);
    }

    static Frame response(int stream, ByteString data) {
        return new Frame(stream, RESPONSE, (byte) 0, data);
    }

    ByteBuffer encode() {
        ByteBuffer bytes = ByteBuffer.allocate(HEADER + data.size());
        bytes.putInt(data.size()).putInt(stream).put(type).put(flags);
        data.copyTo(bytes);
        return bytes.flip();
    }

    /// A frame around bytes that nobody else changes any more.
    static Frame wrap(int stream, byte type, byte flags, byte[] data) {
        return new Frame(stream, type, flags, UnsafeByteOperations.unsafeWrap(data));
    }
}
