package dev.gantry.linux;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/// Files that appear whole or not at all.
public final class AtomicFile {

    private static final AtomicLong SERIAL = new AtomicLong();

    private AtomicFile() {}

    /// Writes or replaces a file. When it returns, name, bytes and mode are on the disk; a reader or a
    /// crash before that finds the old file or none. A link at `target` is replaced, not followed.
    public static void write(Path target, byte[] bytes, int mode) {
        Path directory = target.toAbsolutePath().getParent();
        if (directory == null) {
            throw new IllegalArgumentException("not a file: " + target);
        }
        String unique = Long.toHexString(System.nanoTime()) + "-" + SERIAL.incrementAndGet();
        Path temporary = directory.resolve("." + target.getFileName() + ".tmp-" + unique);
        try (Arena arena = Arena.ofConfined()) {
            long from = Kernel.string(arena, temporary).address();
            long to = Kernel.string(arena, target.toAbsolutePath()).address();
            try {
                fill(temporary, bytes, mode);
                Kernel.check(
                        Kernel.call(SystemCall.RENAMEAT2, Kernel.AT_FDCWD, from, Kernel.AT_FDCWD, to, 0),
                        "replace",
                        target);
            } catch (RuntimeException failure) {
                Kernel.call(SystemCall.UNLINKAT, Kernel.AT_FDCWD, from, 0);
                throw failure;
            }
        }
        FileSystems.syncDirectory(directory);
    }

    private static void fill(Path temporary, byte[] bytes, int mode) {
        int flags = Kernel.O_WRONLY | Kernel.O_CREAT | Kernel.O_EXCL | Architecture.O_NOFOLLOW;
        try (Fd file = new Fd(Kernel.open(temporary, flags, 0600), temporary)) {
            file.write(bytes, 0, bytes.length);
            file.mode(mode);
            file.sync();
        }
    }
}
