package dev.gantry.storage;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/// Instants as the rows hold them: nanoseconds since 1970, enough until 2262.
final class Times {

    private Times() {}

    static long nanos(Instant time) {
        return Math.addExact(TimeUnit.SECONDS.toNanos(time.getEpochSecond()), time.getNano());
    }

    static Instant instant(long nanos) {
        return Instant.ofEpochSecond(0, nanos);
    }
}
