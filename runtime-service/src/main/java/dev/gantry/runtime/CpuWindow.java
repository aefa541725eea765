package dev.gantry.runtime;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// How much CPU was used lately, from the two latest of the samples that are taken from time to time. Thread-safe.
final class CpuWindow {

    /// Over less time the figure would say more about the kernel's bookkeeping than about the container.
    private static final long SHORTEST = 1_000_000_000;

    private record Sample(long at, long used) {}

    // Guarded by this object.
    private @Nullable Sample older;
    private @Nullable Sample newer;

    /// @param at   of a clock that only goes forward, nanoseconds
    /// @param used CPU time so far, nanoseconds
    synchronized void add(long at, long used) {
        Sample last = newer;
        if (last == null || at - last.at() >= SHORTEST) {
            older = last;
            newer = new Sample(at, used);
        }
    }

    /// Nanoseconds of CPU time for each second since the newest sample that is a second old; empty without one.
    synchronized OptionalLong rate(long at, long used) {
        Sample base = newer != null && at - newer.at() >= SHORTEST ? newer : older;
        if (base == null || at - base.at() < SHORTEST || used < base.used()) {
            return OptionalLong.empty();
        }
        return OptionalLong.of((long) ((used - base.used()) * 1e9 / (at - base.at())));
    }
}
