package dev.gantry.image;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/// Reads a blob while it is being downloaded, waiting for what has not come yet.
final class BlobTail implements ReadableByteChannel {

    private final BlobDownload download;
    private final byte[] copy = new byte[32 * 1024];
    private @Nullable InputStream in;
    private long position;

    BlobTail(BlobDownload download) {
        this.download = download;
    }

    @Override
    public int read(ByteBuffer out) throws IOException {
        try {
            InputStream stream = in;
            if (stream == null) {
                stream = download.open();
                in = stream;
            }
            long end = download.awaitBeyond(position);
            if (end < 0) {
                return -1;
            }
            int wanted = (int) Math.min(Math.min(out.remaining(), copy.length), end - position);
            int count = stream.read(copy, 0, wanted);
            if (count < 0) {
                throw new EOFException("the blob is shorter than what came of it");
            }
            out.put(copy, 0, count);
            position += count;
            return count;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for a blob");
        }
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() throws IOException {
        if (in != null) {
            in.close();
        }
    }
}
