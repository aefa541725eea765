package dev.gantry.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Reads a log file on and on, through its rotations: a file that was renamed away is read to its
/// end before the new one is begun, one that was cut short is read from its start again. Nothing is
/// lost as long as it is polled before the old file is rotated twice. Not thread-safe.
final class LogTail implements AutoCloseable {

    private final Path path;
    private final LogParser parser = new LogParser();
    private final ByteArrayOutputStream record = new ByteArrayOutputStream();
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    private @Nullable FileChannel channel;
    private @Nullable Object key;

    LogTail(Path path) {
        this.path = path;
    }

    /// Passes on every line that was completed since the last call. A file that does not exist yet
    /// has none.
    void poll(Consumer<LogLine> lines) {
        try {
            drain(lines);
            while (replaced()) {
                drain(lines); // what was written between the last read and the rename
                reopen();
                drain(lines);
            }
        } catch (IOException e) {
            throw new CliException.Failed("cannot read the log %s: %s".formatted(path, e.getMessage()), e);
        }
    }

    private boolean replaced() throws IOException {
        try {
            return !Objects.equals(fileKey(), key); // nothing opened has no key
        } catch (NoSuchFileException _) {
            return false; // not begun yet, or between rename and reopen
        }
    }

    /// The key has to be that of the opened file, which Java cannot ask: so it is read before and
    /// after, until both agree.
    private void reopen() throws IOException {
        Object before;
        do {
            close();
            try {
                before = fileKey();
                channel = FileChannel.open(path);
                key = fileKey();
            } catch (NoSuchFileException _) {
                close();
                return;
            }
        } while (!Objects.equals(before, key));
    }

    private @Nullable Object fileKey() throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    private void drain(Consumer<LogLine> lines) throws IOException {
        if (channel == null) {
            return;
        }
        if (channel.size() < channel.position()) {
            channel.position(0);
            record.reset();
        }
        while (channel.read(buffer) > 0) {
            buffer.flip();
            split(lines);
            buffer.clear();
        }
    }

    private void split(Consumer<LogLine> lines) {
        int start = 0;
        for (int i = 0; i < buffer.limit(); i++) {
            if (buffer.get(i) == '\n') {
                record.write(buffer.array(), start, i - start);
                parser.accept(record.toByteArray()).ifPresent(lines);
                record.reset();
                start = i + 1;
            }
        }
        record.write(buffer.array(), start, buffer.limit() - start);
    }

    @Override
    public void close() {
        FileChannel open = channel;
        channel = null;
        key = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                throw new CliException.Failed("cannot close the log " + path, e);
            }
        }
    }
}
