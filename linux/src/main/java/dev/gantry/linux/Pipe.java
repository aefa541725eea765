package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// The two ends of a pipe; closes those that nobody took. One thread's own.
final class Pipe implements AutoCloseable {

    private @Nullable Fd read;
    private @Nullable Fd write;

    private Pipe(@Nullable Fd read, @Nullable Fd write) {
        this.read = read;
        this.write = write;
    }

    static Pipe open() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(JAVA_INT, 2);
            Kernel.check(Kernel.call(SystemCall.PIPE2, ends.address(), Kernel.O_CLOEXEC), "make", "a pipe");
            return new Pipe(new Fd(ends.getAtIndex(JAVA_INT, 0), "pipe"), new Fd(ends.getAtIndex(JAVA_INT, 1), "pipe"));
        }
    }

    /// Reading from it is at its end at once.
    static Pipe ofNothing() {
        Path device = Path.of("/dev/null");
        return new Pipe(new Fd(Kernel.open(device, Kernel.O_RDONLY, 0), device), null);
    }

    static Pipe none() {
        return new Pipe(null, null);
    }

    Fd read() {
        return there(read);
    }

    Fd write() {
        return there(write);
    }

    /// Passes the reading end on; from now on it does not block.
    Fd takeRead() {
        Fd taken = nonBlocking(there(read));
        read = null;
        return taken;
    }

    /// Passes the writing end on; from now on it does not block.
    Fd takeWrite() {
        Fd taken = nonBlocking(there(write));
        write = null;
        return taken;
    }

    private static Fd nonBlocking(Fd fd) {
        int setFlags = 4;
        Kernel.check(Kernel.call(SystemCall.FCNTL, fd.value(), setFlags, Kernel.O_NONBLOCK), "unblock", fd);
        return fd;
    }

    private static Fd there(@Nullable Fd end) {
        if (end == null) {
            throw new IllegalStateException("this end of the pipe is not here");
        }
        return end;
    }

    @Override
    public void close() {
        if (read != null) {
            read.close();
        }
        if (write != null) {
            write.close();
        }
    }
}
