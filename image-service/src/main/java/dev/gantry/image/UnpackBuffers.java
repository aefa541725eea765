package dev.gantry.image;

import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentLinkedQueue;

/// The memory that layers are unpacked through, outside the heap: one pair for each layer being unpacked, kept for the
/// next one, because the JDK gives such memory back only with a garbage collection.
final class UnpackBuffers {

    private static final int ARCHIVE_SIZE = 256 * 1024;

    private final ConcurrentLinkedQueue<Pair> free = new ConcurrentLinkedQueue<>();

    record Pair(ByteBuffer input, ByteBuffer archive) {}

    Pair take() {
        Pair pair = free.poll();
        return pair != null
                ? pair
                : new Pair(ByteBuffer.allocateDirect(LayerStream.INPUT_SIZE), ByteBuffer.allocateDirect(ARCHIVE_SIZE));
    }

    void giveBack(Pair pair) {
        free.add(pair);
    }
}
