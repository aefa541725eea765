package dev.gantry.shim;

import java.time.Duration;

/// The moment until which several steps together may take.
record Deadline(long nanoTime) {

    static Deadline in(Duration duration) {
        return new Deadline(System.nanoTime() + duration.toNanos());
    }

    /// At least a nanosecond: a step whose time is up fails by itself.
    Duration remaining() {
        return Duration.ofNanos(Math.max(1, nanoTime - System.nanoTime()));
    }

    boolean passed() {
        return System.nanoTime() - nanoTime >= 0;
    }
}
