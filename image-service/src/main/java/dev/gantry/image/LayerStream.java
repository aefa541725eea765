package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import dev.gantry.linux.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.HexFormat;

/// The tar archive in a layer's blob, unpacked as its first bytes say (gzip, zstd, or not packed at all; media types
/// are known to lie), with its diff id computed as it passes.
final class LayerStream implements ReadableByteChannel {

    static final int INPUT_SIZE = 64 * 1024;

    private final ReadableByteChannel unpacked;
    private final long limit;
    private final Sha256 digest = Sha256.create();
    private long size;

    /// @param limit more bytes than this are a bomb
    private LayerStream(ReadableByteChannel unpacked, long limit) {
        this.unpacked = unpacked;
        this.limit = limit;
    }

    /// @param input a direct buffer of [#INPUT_SIZE] bytes, for this stream alone while it is open
    static LayerStream open(ReadableByteChannel blob, ByteBuffer input, long limit) throws IOException {
        input.clear();
        while (input.position() < 4 && blob.read(input) >= 0) {
            // until there is enough to tell the formats apart
        }
        input.flip();
        return new LayerStream(unpacked(blob, input), limit);
    }

    private static ReadableByteChannel unpacked(ReadableByteChannel blob, ByteBuffer input) {
        if (startsWith(input, 0x1f, 0x8b)) {
            return new GunzipChannel(blob, input);
        }
        boolean frame = startsWith(input, 0x28, 0xb5, 0x2f, 0xfd);
        boolean skippable = input.remaining() >= 4
                && (input.get(0) & 0xf0) == 0x50
                && input.get(1) == 0x2a
                && input.get(2) == 0x4d
                && input.get(3) == 0x18;
        return frame || skippable ? new UnzstdChannel(blob, input) : new PlainChannel(blob, input);
    }

    private static boolean startsWith(ByteBuffer input, int... magic) {
        for (int i = 0; i < magic.length; i++) {
            if (i >= input.remaining() || (input.get(i) & 0xff) != magic[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int read(ByteBuffer out) throws IOException {
        int start = out.position();
        int count = unpacked.read(out);
        if (count > 0) {
            digest.update(out.duplicate().flip().position(start));
            size += count;
            if (size > limit) {
                throw new IOException("it unpacks to more than %d bytes".formatted(limit));
            }
        }
        return count;
    }

    /// The digest of all that was read; once, at the end.
    Digest diffId() {
        return new Digest("sha256", HexFormat.of().formatHex(digest.digest()));
    }

    /// Bytes read so far, unpacked.
    long size() {
        return size;
    }

    @Override
    public boolean isOpen() {
        return unpacked.isOpen();
    }

    @Override
    public void close() throws IOException {
        unpacked.close();
    }

    /// What was read to look at the first bytes, and then the blob itself.
    private record PlainChannel(ReadableByteChannel blob, ByteBuffer head) implements ReadableByteChannel {

        @Override
        public int read(ByteBuffer out) throws IOException {
            if (!head.hasRemaining()) {
                return blob.read(out);
            }
            int count = Math.min(out.remaining(), head.remaining());
            out.put(head.slice(head.position(), count));
            head.position(head.position() + count);
            return count;
        }

        @Override
        public boolean isOpen() {
            return blob.isOpen();
        }

        @Override
        public void close() throws IOException {
            blob.close();
        }
    }
}
