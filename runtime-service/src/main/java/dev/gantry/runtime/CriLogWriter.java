package dev.gantry.runtime;

import dev.gantry.shim.LogCounters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes a container's output to its log file in the CRI format:
///
///     2026-11-22T10:00:00.000000001Z stdout F a whole line
///     2026-11-22T10:00:00.000000001Z stderr P the beginning of a line that is longer than the limit
///
/// Carriage returns and bytes that are no UTF-8 are kept as they are. A line without its end is held until its end
/// comes, the limit is reached or the stream ends (tag P). When the disk is full, lines are lost and counted, but the
/// container is never held up. Thread-safe; a [#reopen] is done when it returns.
final class CriLogWriter implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(CriLogWriter.class);
    private static final int BUFFER = 64 << 10;

    private final Path path;
    private final int maxLine;
    private final Clock clock;
    private final LogTime time = new LogTime();
    private final Unfinished stdout = new Unfinished(LogStream.STDOUT);
    private final Unfinished stderr = new Unfinished(LogStream.STDERR);
    private final ByteBuffer out = ByteBuffer.allocate(BUFFER);
    private FileChannel file;
    private long writtenBytes;
    private long lines;
    private long lostBytes;
    private long longestStall;

    /// Opens or makes the file, and the folders above it.
    ///
    /// @param maxLine the longest line in bytes; what is longer is split
    CriLogWriter(Path path, int maxLine, Clock clock) {
        this.path = path;
        this.maxLine = maxLine;
        this.clock = clock;
        this.file = open(path);
    }

    /// The line of a stream whose end has not come yet.
    private static final class Unfinished {
        final byte[] label;
        byte[] bytes = new byte[0];
        int length;

        Unfinished(LogStream stream) {
            this.label = stream.label();
        }
    }

    private Unfinished unfinished(LogStream stream) {
        return switch (stream) {
            case STDOUT -> stdout;
            case STDERR -> stderr;
        };
    }

    synchronized void write(LogStream stream, ByteBuffer bytes) {
        byte[] now = time.format(clock.instant());
        Unfinished rest = unfinished(stream);
        while (bytes.hasRemaining()) {
            int room = maxLine - rest.length;
            int end = lineEnd(bytes, room);
            if (end >= 0) {
                line(now, 'F', rest, bytes, end - bytes.position());
                bytes.get();
            } else if (bytes.remaining() >= room) {
                line(now, 'P', rest, bytes, room);
            } else {
                keep(rest, bytes);
            }
        }
        flush();
    }

    /// The stream has ended.
    synchronized void end(LogStream stream) {
        Unfinished rest = unfinished(stream);
        if (rest.length > 0) {
            line(time.format(clock.instant()), 'P', rest, ByteBuffer.allocate(0), 0);
            flush();
        }
    }

    /// Goes on in a new file of the same name, after somebody moved the old one away.
    synchronized void reopen() {
        FileChannel next = open(path);
        closeFile();
        file = next;
    }

    /// How the writing went since the log was opened.
    synchronized LogCounters counters() {
        return new LogCounters(writtenBytes, lines, lostBytes, Duration.ofNanos(longestStall));
    }

    @Override
    public synchronized void close() {
        closeFile();
    }

    /// Where the next line end stands, or −1 when there is none within `room` bytes.
    private static int lineEnd(ByteBuffer bytes, int room) {
        int limit = (int) Math.min(bytes.limit(), (long) bytes.position() + room + 1);
        for (int i = bytes.position(); i < limit; i++) {
            if (bytes.get(i) == '\n') {
                return i;
            }
        }
        return -1;
    }

    private void line(byte[] now, char tag, Unfinished rest, ByteBuffer bytes, int length) {
        lines++;
        put(now, 0, now.length);
        put(rest.label, 0, rest.label.length);
        put((byte) tag);
        put((byte) ' ');
        put(rest.bytes, 0, rest.length);
        rest.length = 0;
        if (rest.bytes.length > 0) {
            rest.bytes = new byte[0];
        }
        ByteBuffer part = bytes.slice(bytes.position(), length);
        while (part.hasRemaining()) {
            if (!out.hasRemaining()) {
                flush();
            }
            int count = Math.min(part.remaining(), out.remaining());
            out.put(part.slice(part.position(), count));
            part.position(part.position() + count);
        }
        bytes.position(bytes.position() + length);
        put((byte) '\n');
    }

    private static void keep(Unfinished rest, ByteBuffer bytes) {
        byte[] joined = new byte[rest.length + bytes.remaining()];
        System.arraycopy(rest.bytes, 0, joined, 0, rest.length);
        bytes.get(joined, rest.length, bytes.remaining());
        rest.bytes = joined;
        rest.length = joined.length;
    }

    private void put(byte value) {
        if (!out.hasRemaining()) {
            flush();
        }
        out.put(value);
    }

    private void put(byte[] bytes, int offset, int length) {
        int from = offset;
        while (from < offset + length) {
            if (!out.hasRemaining()) {
                flush();
            }
            int count = Math.min(offset + length - from, out.remaining());
            out.put(bytes, from, count);
            from += count;
        }
    }

    private void flush() {
        out.flip();
        long begin = System.nanoTime();
        try {
            while (out.hasRemaining()) {
                writtenBytes += file.write(out);
            }
            longestStall = Math.max(longestStall, System.nanoTime() - begin);
        } catch (IOException e) {
            if (lostBytes == 0) {
                log.atError()
                        .addKeyValue("log", path)
                        .setCause(e)
                        .log("cannot write to a container's log; lines are lost");
            }
            lostBytes += out.remaining();
        }
        out.clear();
    }

    private static FileChannel open(Path path) {
        try {
            Path folder = path.getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            return FileChannel.open(
                    path,
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r-----")));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot open container log " + path, e);
        }
    }

    private void closeFile() {
        try {
            file.close();
        } catch (IOException e) {
            log.atWarn().addKeyValue("log", path).setCause(e).log("cannot close a container's log");
        }
    }
}
