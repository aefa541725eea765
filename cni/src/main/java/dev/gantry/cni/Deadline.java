package dev.gantry.cni;

import java.time.Duration;

/// A moment by which something has to be done.
final class Deadline {

    private final long end;

    Deadline(Duration fromNow) {
        this.end = System.nanoTime() + fromNow.toNanos();
    }

    /// Never negative.
    Duration left() {
        return Duration.ofNanos(Math.max(end - System.nanoTime(), 0));
    }
}
