package dev.gantry.linux;

import java.lang.foreign.Arena;
import java.nio.file.Path;

/// Named pipes, opened so that neither the opening nor a read or write ever blocks a thread.
public final class Fifo {

    private static final int S_IFIFO = 0010000;

    private Fifo() {}

    /// Makes the pipe with exactly these permission bits.
    public static void create(Path path, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            long name = Kernel.string(arena, path).address();
            Kernel.check(
                    Kernel.call(SystemCall.MKNODAT, Kernel.AT_FDCWD, name, S_IFIFO | (mode & 0777), 0),
                    "make fifo",
                    path);
            Kernel.check(Kernel.call(SystemCall.FCHMODAT, Kernel.AT_FDCWD, name, mode & 0777), "set mode of", path);
        }
    }

    /// For reading: sees the end when the last writer has closed. Opening needs no writer.
    public static Fd openRead(Path path) {
        return open(path, Kernel.O_RDONLY);
    }

    /// For writing, or for reading without ever seeing an end: this side keeps both ends open itself.
    public static Fd openReadWrite(Path path) {
        return open(path, Kernel.O_RDWR);
    }

    private static Fd open(Path path, int flags) {
        int fd = Kernel.open(path, flags | Kernel.O_NONBLOCK | Architecture.O_NOFOLLOW, 0);
        Fd owned = new Fd(fd, path);
        if (owned.status().type() != FileStatus.Type.FIFO) {
            owned.close();
            throw new ErrnoException("cannot use " + path + " as a fifo", Errno.EINVAL);
        }
        return owned;
    }
}
