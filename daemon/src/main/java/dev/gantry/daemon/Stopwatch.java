package dev.gantry.daemon;

import java.time.Duration;

/// Says which step of a piece of work took how long. For one thread.
final class Stopwatch {

    private final StringBuilder laps = new StringBuilder();
    private long last = System.nanoTime();

    /// Ends a step; the next one begins.
    void lap(String name) {
        long now = System.nanoTime();
        laps.append(laps.isEmpty() ? "" : " ").append(name).append('=');
        laps.append(Duration.ofNanos(now - last).toMillis());
        last = now;
    }

    /// `host=12 node=80`
    @Override
    public String toString() {
        return laps.toString();
    }
}
