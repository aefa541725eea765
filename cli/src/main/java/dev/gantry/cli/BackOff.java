package dev.gantry.cli;

import java.time.Duration;

/// How long to wait before a container is started again: twice as long each time, up to a limit; a
/// container that ran for a good while begins anew.
record BackOff(Duration first, Duration longest, Duration goodRun) {

    static final BackOff DEFAULT = new BackOff(Duration.ofSeconds(1), Duration.ofMinutes(5), Duration.ofMinutes(10));

    /// The wait after the one before, for a container that ran so long.
    Duration next(Duration before, Duration ran) {
        if (before.isZero() || ran.compareTo(goodRun) >= 0) {
            return first;
        }
        Duration twice = before.multipliedBy(2);
        return twice.compareTo(longest) > 0 ? longest : twice;
    }
}
