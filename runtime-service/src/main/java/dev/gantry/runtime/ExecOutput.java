package dev.gantry.runtime;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Keeps one output stream of a command, in memory while it is short and in a file without a name when it grows: the
/// author of a container decides how much that is, and the daemon's heap holds not even two times the limit.
///
/// Thread-safe.
final class ExecOutput implements AutoCloseable {

    /// Most commands print less.
    private static final int IN_MEMORY = 64 << 10;

    private final Path spool;
    private final AtomicInteger room;
    /// Guarded by this, as what follows.
    private ByteString.Output head = ByteString.newOutput(1024);

    private @Nullable FileChannel file;
    private @Nullable IOException failure;

    /// @param spool where a file can be made, and is removed at once
    /// @param room  how many bytes may still be kept, by all streams that share it; the rest is dropped
    ExecOutput(Path spool, AtomicInteger room) {
        this.spool = spool;
        this.room = room;
    }

    synchronized void data(ByteBuffer part) {
        int before = room.getAndUpdate(it -> Math.max(0, it - part.remaining()));
        ByteBuffer kept = part.slice(part.position(), Math.min(part.remaining(), before));
        if (!kept.hasRemaining() || failure != null) {
            return;
        }
        try {
            keep(kept);
        } catch (IOException e) {
            failure = e; // The reading goes on, or the command would never end.
        }
    }

    private void keep(ByteBuffer bytes) throws IOException {
        if (file == null && head.size() + bytes.remaining() <= IN_MEMORY) {
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            head.write(copy, 0, copy.length);
            return;
        }
        FileChannel channel = file;
        if (channel == null) {
            channel = FileChannel.open(
                    spool, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
            file = channel;
            Files.delete(spool);
            write(channel, head.toByteString().asReadOnlyByteBuffer());
            head = ByteString.newOutput(0);
        }
        write(channel, bytes);
    }

    private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /// What came until now; the file's pages stay readable as long as somebody holds it.
    synchronized ByteString bytes() {
        try {
            if (failure != null) {
                throw failure;
            }
            FileChannel channel = file;
            return channel == null
                    ? head.toByteString()
                    : UnsafeByteOperations.unsafeWrap(channel.map(MapMode.READ_ONLY, 0, channel.size()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep the output of a command in " + spool.getParent(), e);
        }
    }

    /// Lets go of the file; nothing is kept from now on.
    @Override
    public synchronized void close() {
        room.set(0);
        FileChannel channel = file;
        if (channel == null) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close the output of a command", e);
        }
    }
}
