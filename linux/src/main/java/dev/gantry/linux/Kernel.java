package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// The door to the kernel: every system call goes through one method handle.
///
/// One handle with six `long` arguments instead of one per call, because each shape of a foreign call
/// costs the JVM generated classes and some milliseconds at its first use. Pointers travel as
/// addresses, so the caller keeps the segment's arena open until the call has returned.
final class Kernel {

    static final int AT_FDCWD = -100;
    static final int AT_SYMLINK_NOFOLLOW = 0x100;
    static final int AT_REMOVEDIR = 0x200;
    static final int AT_EMPTY_PATH = 0x1000;

    static final int O_RDONLY = 0;
    static final int O_WRONLY = 1;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;
    static final int O_EXCL = 0x80;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;
    static final int O_PATH = 0x200000;

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO = STATE.byteOffset(PathElement.groupElement("errno"));
    private static final MethodHandle SYSCALL = handle();

    // Automatic, so that the few bytes go when their thread has gone.
    private static final ThreadLocal<MemorySegment> CAPTURED =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

    private Kernel() {}

    @SuppressWarnings("restricted") // the one place from which the kernel is called
    private static MethodHandle handle() {
        Linker linker = Linker.nativeLinker();
        FunctionDescriptor shape = FunctionDescriptor.of(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow("syscall"),
                shape,
                Linker.Option.firstVariadicArg(1),
                Linker.Option.captureCallState("errno"));
    }

    /// Makes the call and returns its result, or the negative error number as the kernel itself does.
    static long call(SystemCall call, long a, long b, long c, long d, long e, long f) {
        MemorySegment state = CAPTURED.get();
        long result;
        try {
            result = (long) SYSCALL.invokeExact(state, (long) call.number(), a, b, c, d, e, f);
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError("a foreign call has no checked exceptions", failure);
        }
        return result == -1 ? -state.get(JAVA_INT, ERRNO) : result;
    }

    static long call(SystemCall call, long a) {
        return call(call, a, 0, 0, 0, 0, 0);
    }

    static long call(SystemCall call, long a, long b) {
        return call(call, a, b, 0, 0, 0, 0);
    }

    static long call(SystemCall call, long a, long b, long c) {
        return call(call, a, b, c, 0, 0, 0);
    }

    static long call(SystemCall call, long a, long b, long c, long d) {
        return call(call, a, b, c, d, 0, 0);
    }

    static long call(SystemCall call, long a, long b, long c, long d, long e) {
        return call(call, a, b, c, d, e, 0);
    }

    /// Passes a result on, or throws: `cannot <action> <object>: <errno>`.
    static long check(long result, String action, Object object) {
        if (result < 0) {
            throw failure(result, action, object);
        }
        return result;
    }

    static ErrnoException failure(long result, String action, Object object) {
        return new ErrnoException("cannot " + action + " " + object, (int) -result);
    }

    static boolean failed(long result, Errno errno) {
        return result == -errno.value();
    }

    /// Opens by path; the descriptor is always close-on-exec.
    static int open(Path path, int flags, int mode) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) check(tryOpen(arena, path, flags, mode), "open", path);
        }
    }

    static long tryOpen(SegmentAllocator memory, Path path, int flags, int mode) {
        return call(SystemCall.OPENAT, AT_FDCWD, string(memory, path).address(), flags | O_CLOEXEC, mode);
    }

    static void close(int fd) {
        call(SystemCall.CLOSE, fd);
    }

    static MemorySegment string(SegmentAllocator memory, Path path) {
        return string(memory, path.toString());
    }

    static MemorySegment string(SegmentAllocator memory, String text) {
        if (text.indexOf('\0') >= 0) {
            throw new ErrnoException("cannot pass a text with a zero byte to the kernel", Errno.EINVAL);
        }
        return memory.allocateFrom(text, StandardCharsets.UTF_8);
    }
}
