package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// openat2(2) with its argument block, which is reused from call to call. One thread's own.
final class OpenHow {

    static final int NO_XDEV = 0x01;
    static final int NO_MAGICLINKS = 0x02;
    static final int NO_SYMLINKS = 0x04;
    static final int IN_ROOT = 0x10;

    private static final int SIZE = 24;
    // The kernel gives up with EAGAIN when someone renames while it resolves `..`.
    private static final int ATTEMPTS = 100;

    private final MemorySegment block;

    OpenHow(Arena arena) {
        this.block = arena.allocate(SIZE, 8);
    }

    /// The descriptor or the negative error number.
    long open(int directory, MemorySegment path, int flags, int resolve) {
        block.set(JAVA_LONG, 0, flags | Kernel.O_CLOEXEC);
        block.set(JAVA_LONG, 8, 0);
        block.set(JAVA_LONG, 16, resolve);
        long fd = 0;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            fd = Kernel.call(SystemCall.OPENAT2, directory, path.address(), block.address(), SIZE);
            if (!Kernel.failed(fd, Errno.EAGAIN) && !Kernel.failed(fd, Errno.EINTR)) {
                break;
            }
        }
        return fd;
    }
}
