package dev.gantry.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/// Times, sizes and ids as a table shows them.
final class Words {

    private static final long NANOS = 1_000_000_000L;

    private Words() {}

    /// How long ago a time of CRI (nanoseconds since 1970; zero: never) was, in one unit.
    static String age(long nanos, Instant now) {
        if (nanos == 0) {
            return "-";
        }
        Duration age = Duration.between(instant(nanos), now);
        long seconds = Math.max(0, age.toSeconds());
        if (seconds < 120) {
            return seconds + "s";
        }
        if (seconds < 2 * 3600) {
            return age.toMinutes() + "m";
        }
        return seconds < 2 * 86400 ? age.toHours() + "h" : age.toDays() + "d";
    }

    static Instant instant(long nanos) {
        return Instant.ofEpochSecond(Math.floorDiv(nanos, NANOS), Math.floorMod(nanos, NANOS));
    }

    /// A size in decimal units with three digits, as registries and `ls --si` count.
    static String size(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 999.5 && unit < 4) {
            value /= 1000;
            unit++;
        }
        String digits = value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f";
        return String.format(Locale.ROOT, digits, value) + " " + "kMGTP".charAt(unit) + "B";
    }

    /// The first digits of an id or digest, enough to type.
    static String shortId(String id) {
        String digits = id.startsWith("sha256:") ? id.substring("sha256:".length()) : id;
        return digits.length() > 13 ? digits.substring(0, 13) : digits;
    }

    /// `CONTAINER_RUNNING` as `Running`.
    static String state(Enum<?> value) {
        String name = value.name();
        String word = name.substring(name.indexOf('_') + 1).toLowerCase(Locale.ROOT);
        return word.equals("notready") ? "NotReady" : Character.toUpperCase(word.charAt(0)) + word.substring(1);
    }
}
