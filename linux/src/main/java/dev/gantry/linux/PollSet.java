package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A few descriptors to wait for, and ppoll(2) over them. One thread's own.
final class PollSet {

    static final short IN = 1;
    static final short OUT = 4;

    private static final int ENTRY = 8;
    // A thread in the kernel does not see Java's interrupt, so no wait is longer than this.
    private static final long SLICE = 250_000_000L;

    private final MemorySegment entries;
    private final MemorySegment limit;
    private final int size;

    PollSet(Arena arena, int size) {
        this.entries = arena.allocate((long) ENTRY * size, 8);
        this.limit = arena.allocate(16, 8);
        this.size = size;
        for (int i = 0; i < size; i++) {
            ignore(i);
        }
    }

    void watch(int index, int fd, short events) {
        entries.set(JAVA_INT, (long) index * ENTRY, fd);
        entries.set(JAVA_SHORT, (long) index * ENTRY + 4, events);
        entries.set(JAVA_SHORT, (long) index * ENTRY + 6, (short) 0);
    }

    void ignore(int index) {
        watch(index, -1, (short) 0);
    }

    /// Whether the last wait found something to do there: data, room, an end or an error.
    boolean ready(int index) {
        return entries.get(JAVA_SHORT, (long) index * ENTRY + 6) != 0;
    }

    /// Waits until something is ready, or the time (System.nanoTime) has come, or a slice has passed.
    void await(long end) {
        long nanos = Math.clamp(end - System.nanoTime(), 0, SLICE);
        limit.set(JAVA_LONG, 0, 0);
        limit.set(JAVA_LONG, 8, nanos);
        long result = Kernel.call(SystemCall.PPOLL, entries.address(), size, limit.address(), 0, 8);
        if (Kernel.failed(result, Errno.EINTR)) {
            for (int i = 0; i < size; i++) {
                entries.set(JAVA_SHORT, (long) i * ENTRY + 6, (short) 0);
            }
            return;
        }
        Kernel.check(result, "wait for", "descriptors");
    }
}
