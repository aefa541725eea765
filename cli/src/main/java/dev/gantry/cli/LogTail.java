package dev.gantry.cli;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
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
    private final byte[] buffer = new byte[1 << 16];
    // not a FileChannel, which an interrupt of the reading thread would close
    private @Nullable RandomAccessFile file;
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
                file = new RandomAccessFile(path.toFile(), "r");
                key = fileKey();
            } catch (NoSuchFileException | FileNotFoundException _) {
                close();
                return;
            }
        } while (!Objects.equals(before, key));
    }

    private @Nullable Object fileKey() throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    private void drain(Consumer<LogLine> lines) throws IOException {
        RandomAccessFile open = file;
        if (open == null) {
            return;
        }
        if (open.length() < open.getFilePointer()) {
            open.seek(0);
            record.reset();
        }
        for (int length = open.read(buffer); length > 0; length = open.read(buffer)) {
            split(length, lines);
        }
    }

    private void split(int length, Consumer<LogLine> lines) {
        int start = 0;
        for (int i = 0; i < length; i++) {
            if (buffer[i] == '\n') {
                record.write(buffer, start, i - start);
                parser.accept(record.toByteArray()).ifPresent(lines);
                record.reset();
                start = i + 1;
            }
        }
        record.write(buffer, start, length - start);
    }

    @Override
    public void close() {
        RandomAccessFile open = file;
        file = null;
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
