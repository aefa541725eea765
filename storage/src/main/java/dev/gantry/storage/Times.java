package dev.gantry.storage;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

/// Instants as rows and CRI messages hold them: nanoseconds since 1970, enough until 2262.
public final class Times {

    private Times() {}

    public static long nanos(Instant time) {
        return Math.addExact(TimeUnit.SECONDS.toNanos(time.getEpochSecond()), time.getNano());
    }

    public static Instant instant(long nanos) {
        return Instant.ofEpochSecond(0, nanos);
    }
}
