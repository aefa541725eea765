package dev.gantry.image;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;

/// Unpacks zstd (RFC 8878), several frames one after the other included. Windows beyond 128 MiB are refused; they lie
/// outside the heap.
final class UnzstdChannel implements ReadableByteChannel {

    private final ReadableByteChannel in;
    private final ByteBuffer input;
    private final ZstdDecompressCtx context = new ZstdDecompressCtx();
    private boolean betweenFrames;

    /// @param input what has been read of `in` already, between position and limit; used for reading on
    UnzstdChannel(ReadableByteChannel in, ByteBuffer input) {
        this.in = in;
        this.input = input;
    }

    @Override
    public int read(ByteBuffer out) throws IOException {
        int start = out.position();
        while (out.hasRemaining() && out.position() == start) {
            if (!input.hasRemaining() && !refill()) {
                if (!betweenFrames) {
                    throw new IOException("the zstd stream is cut off");
                }
                return -1;
            }
            try {
                betweenFrames = context.decompressDirectByteBufferStream(out, input);
            } catch (ZstdException e) {
                throw new IOException("the zstd stream is broken: " + e.getMessage(), e);
            }
        }
        return out.position() - start;
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

    @Override
    public boolean isOpen() {
        return in.isOpen();
    }

    @Override
    public void close() throws IOException {
        context.close();
        in.close();
    }
}
