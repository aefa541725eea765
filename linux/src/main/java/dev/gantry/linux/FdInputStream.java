package dev.gantry.linux;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/// The bytes of a blocking descriptor as a stream.
final class FdInputStream extends InputStream {

    private final Fd fd;

    FdInputStream(Fd fd) {
        this.fd = fd;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        try {
            int count = fd.read(ByteBuffer.wrap(bytes, offset, length));
            return count > 0 ? count : -1;
        } catch (ErrnoException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
