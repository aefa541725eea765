package dev.gantry.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/// A stream, read as a channel.
final class StreamChannel implements ReadableByteChannel {

    private final InputStream in;
    private final byte[] copy = new byte[32 * 1024];

    StreamChannel(InputStream in) {
        this.in = in;
    }

    @Override
    public int read(ByteBuffer out) throws IOException {
        int count = in.read(copy, 0, Math.min(copy.length, out.remaining()));
        if (count > 0) {
            out.put(copy, 0, count);
        }
        return count;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
