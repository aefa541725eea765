package dev.gantry.shim;

import dev.gantry.linux.Fifo;
import dev.gantry.linux.Poller;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// Passes on what a shim writes to the FIFO `log` of its bundle, line by line, as logrus prints it:
/// `time="2026-01-02T03:04:05Z" level=error msg="failed to send event" error="ttrpc: closed"`.
///
/// Called by the poll thread only.
final class ShimLog implements Poller.Input {

    private static final Logger log = LoggerFactory.getLogger(ShimLog.class);

    private static final int MAX_LINE = 4 << 10;
    private static final Pattern BAD = Pattern.compile(
            "level=(warn|error|fatal|panic)|\"level\":\\s*\"(warn|error|fatal|panic)|^(panic|fatal error):");

    private final String id;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    ShimLog(String id) {
        this.id = id;
    }

    /// Makes the FIFO unless it is there, and reads it until the registration is closed. Opened for reading and
    /// writing, it neither ends when a shim closes it nor blocks a shim that opens it.
    static Poller.Registration open(Poller poller, Bundle bundle) {
        if (!Files.exists(bundle.log())) {
            Fifo.create(bundle.log(), 0600);
        }
        return poller.read(Fifo.openReadWrite(bundle.log()), new ShimLog(bundle.id()));
    }

    @Override
    public void data(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            byte next = bytes.get();
            if (next == '\n') {
                end();
            } else if (line.size() < MAX_LINE) { // the rest of a longer line is dropped
                line.write(next);
            }
        }
    }

    @Override
    public void end() {
        if (line.size() > 0) {
            String text = line.toString(StandardCharsets.UTF_8);
            line.reset();
            log.atLevel(level(text)).addKeyValue("container", id).log("shim: {}", text);
        }
    }

    /// How many bytes are kept of the line whose end is still to come.
    int waiting() {
        return line.size();
    }

    static Level level(String text) {
        return BAD.matcher(text).find() ? Level.WARN : Level.DEBUG;
    }
}
