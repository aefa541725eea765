package dev.gantry.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/// Unpacks gzip (RFC 1952), several members one after the other included, between buffers outside the heap: that saves
/// two copies of each byte compared with the JDK's stream.
final class GunzipChannel implements ReadableByteChannel {

    private static final int FLAG_CRC = 2;
    private static final int FLAG_EXTRA = 4;
    private static final int FLAG_NAME = 8;
    private static final int FLAG_COMMENT = 16;

    private final ReadableByteChannel in;
    private final ByteBuffer input;
    private final Inflater inflater = new Inflater(true);
    private final CRC32 crc = new CRC32();
    private boolean inMember;
    private boolean anyMember;

    /// @param input what has been read of `in` already, between position and limit; used for reading on
    GunzipChannel(ReadableByteChannel in, ByteBuffer input) {
        this.in = in;
        this.input = input;
    }

    @Override
    public int read(ByteBuffer out) throws IOException {
        while (true) {
            if (!inMember && !beginMember()) {
                return -1;
            }
            int start = out.position();
            int count = inflate(out);
            if (count > 0) {
                crc.update(out.duplicate().flip().position(start));
                return count;
            }
            if (inflater.finished()) {
                endMember();
            } else if (inflater.needsDictionary()) {
                throw new IOException("the gzip stream needs a dictionary");
            } else if (inflater.needsInput()) {
                require(refill());
                inflater.setInput(input);
            } else {
                return 0; // no room in the buffer
            }
        }
    }

    private int inflate(ByteBuffer out) throws IOException {
        try {
            return inflater.inflate(out);
        } catch (DataFormatException e) {
            throw new IOException("the gzip stream is broken: " + e.getMessage(), e);
        }
    }

    /// Zero bytes may follow the last member, as tapes and some tools leave them; anything else would be lost.
    private boolean beginMember() throws IOException {
        int first = 0;
        do {
            if (!input.hasRemaining() && !refill()) {
                require(anyMember);
                return false;
            }
            first = input.get() & 0xff;
        } while (first == 0 && anyMember);
        if (first != 0x1f || next() != 0x8b) {
            throw new IOException(anyMember ? "something follows the end of the gzip stream" : "it is not gzip");
        }
        if (next() != 8) {
            throw new IOException("the gzip stream has an unknown method");
        }
        skipHeader(next());
        inflater.reset();
        inflater.setInput(input);
        crc.reset();
        inMember = true;
        anyMember = true;
        return true;
    }

    private void skipHeader(int flags) throws IOException {
        skip(6); // time, extra flags, system
        if ((flags & FLAG_EXTRA) != 0) {
            skip(next() | next() << 8);
        }
        if ((flags & FLAG_NAME) != 0) {
            skipText();
        }
        if ((flags & FLAG_COMMENT) != 0) {
            skipText();
        }
        if ((flags & FLAG_CRC) != 0) {
            skip(2);
        }
    }

    private void endMember() throws IOException {
        long sum = word();
        long length = word();
        if (sum != crc.getValue() || length != (inflater.getBytesWritten() & 0xffff_ffffL)) {
            throw new IOException("the gzip stream is broken: its checksum or length is wrong");
        }
        inMember = false;
    }

    private long word() throws IOException {
        return next() | next() << 8 | next() << 16 | (long) next() << 24;
    }

    private void skip(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            next();
        }
    }

    private void skipText() throws IOException {
        while (next() != 0) {
            // up to the zero that ends it
        }
    }

    private int next() throws IOException {
        if (!input.hasRemaining()) {
            require(refill());
        }
        return input.get() & 0xff;
    }

    private boolean refill() throws IOException {
        input.clear();
        int count;
        do {
            count = in.read(input);
        } while (count == 0);
        input.flip();
        return count > 0;
    }

    private static void require(boolean more) throws IOException {
        if (!more) {
            throw new IOException("the gzip stream is cut off");
        }
    }

    @Override
    public boolean isOpen() {
        return in.isOpen();
    }

    @Override
    public void close() throws IOException {
        inflater.end();
        in.close();
    }
}
