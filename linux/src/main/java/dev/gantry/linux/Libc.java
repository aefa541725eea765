package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/// Functions of the C library that are no system calls: posix_spawn(3) and its arguments.
///
/// They share one shape of six `long` for the reason told at [Kernel]; arguments beyond those that a
/// function takes lie in registers that it does not read. Results are 32 bits wide.
final class Libc {

    private static final MethodHandle SHAPE = shape();

    private Libc() {}

    @SuppressWarnings("restricted") // the one place from which the C library is called
    private static MethodHandle shape() {
        return Linker.nativeLinker()
                .downcallHandle(FunctionDescriptor.of(
                        JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
    }

    static MemorySegment find(String function) {
        return Linker.nativeLinker().defaultLookup().findOrThrow(function);
    }

    static int call(MemorySegment function, long a, long b, long c, long d, long e, long f) {
        try {
            return (int) (long) SHAPE.invokeExact(function, a, b, c, d, e, f);
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError("a foreign call has no checked exceptions", failure);
        }
    }

    static int call(MemorySegment function, long a, long b, long c) {
        return call(function, a, b, c, 0, 0, 0);
    }
}
