package dev.gantry.runtime;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/// Writes the times of log lines: RFC 3339 in UTC with nine digits of a second, always 30 bytes.
///
/// The date and time up to the second are formatted once a second only. Not thread-safe.
final class LogTime {

    static final int LENGTH = 30;

    private static final DateTimeFormatter SECOND =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.").withZone(ZoneOffset.UTC);

    private final byte[] text = new byte[LENGTH];
    private long second = Long.MIN_VALUE;

    /// The text of that time, valid until the next call.
    byte[] format(Instant time) {
        if (time.getEpochSecond() != second) {
            second = time.getEpochSecond();
            byte[] upToSecond = SECOND.format(time).getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(upToSecond, 0, text, 0, upToSecond.length);
            text[LENGTH - 1] = 'Z';
        }
        int nanos = time.getNano();
        for (int i = LENGTH - 2; i > LENGTH - 11; i--) {
            text[i] = (byte) ('0' + nanos % 10);
            nanos /= 10;
        }
        return text;
    }
}
