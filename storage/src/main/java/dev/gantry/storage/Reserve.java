package dev.gantry.storage;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.FileSystems;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Space on the disk that is kept while there is enough of it, for when there is none: without any, the store cannot
/// write down that something was removed, nor be opened, so that nobody could make room. Thread-safe.
final class Reserve {

    /// More than the log of the database can hold, all of which may go to files when it is opened.
    static final int BYTES = 16 << 20;

    private static final Logger log = LoggerFactory.getLogger(Reserve.class);

    private static final int CHUNK = 256 << 10;

    /// For the next rows; the reserve can be given up again.
    private static final int LEFT_OVER = 1 << 20;

    private final Path directory;
    private final Path file;

    Reserve(Path directory) {
        this.directory = directory;
        this.file = directory.resolve("reserve");
    }

    /// Sets the space aside, or what is missing of it, where that is at most half of what there is.
    void keep() {
        if (freeBytes() >= 2L * BYTES) {
            grow(BYTES);
        }
    }

    /// Takes back what is left of the space after it was given up, but for a little.
    void keepRest() {
        grow(Math.min(BYTES, freeBytes() - LEFT_OVER));
    }

    private long freeBytes() {
        try {
            return FileSystems.statfs(directory).freeBytes();
        } catch (ErrnoException e) {
            log.atWarn().addKeyValue("directory", directory).setCause(e).log("cannot see how full the disk is");
            return 0;
        }
    }

    /// Fills the file with what no file system can make smaller. That it fails is no reason for anything else to.
    private synchronized void grow(long bytes) {
        try {
            long kept = Files.exists(file) ? Files.size(file) : 0;
            if (kept >= bytes) {
                return;
            }
            byte[] chunk = new byte[CHUNK];
            new SplittableRandom().nextBytes(chunk);
            try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                for (; kept < bytes; kept += CHUNK) {
                    out.write(chunk);
                }
            }
        } catch (IOException e) {
            log.atWarn().addKeyValue("file", file).setCause(e).log("cannot keep all the space for a full disk");
        }
    }

    /// Gives the space up. False if none was kept.
    synchronized boolean release() {
        try {
            if (Files.deleteIfExists(file)) {
                log.atWarn()
                        .addKeyValue("file", file)
                        .log("the disk is full: space that was kept for that is used now");
                return true;
            }
        } catch (IOException e) {
            log.atWarn().addKeyValue("file", file).setCause(e).log("cannot use the space that is kept for a full disk");
        }
        return false;
    }
}
