package dev.gantry.cli;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/// Reads records of a CRI log, such as
///
/// ```
/// 2026-11-22T15:04:05.123456789Z stdout P the first part of a long line, and
/// 2026-11-22T15:04:05.123456790Z stdout F its end
/// ```
///
/// and puts lines together: `P` marks a part that goes on, `F` one that ends a line, other tags may
/// follow after a colon. The streams are told apart, since their parts may alternate. A record of
/// another form is passed on as it stands. Not thread-safe.
final class LogParser {

    /// A line that never ends is passed on in pieces of this size.
    private static final int MAX_LINE = 1 << 20;

    private final Partial out = new Partial();
    private final Partial err = new Partial();

    private static final class Partial {
        private final ByteArrayOutputStream text = new ByteArrayOutputStream();
        private String time = "";
    }

    /// Takes one record without its line end, and returns the line that it completes.
    Optional<LogLine> accept(byte[] record) {
        int first = indexOf(record, 0);
        int second = first < 0 ? -1 : indexOf(record, first + 1);
        int third = second < 0 ? -1 : indexOf(record, second + 1);
        if (third < 0) {
            return Optional.of(new LogLine("", false, ByteString.copyFrom(record)));
        }
        String stream = text(record, first + 1, second);
        String tag = text(record, second + 1, third);
        boolean known = stream.equals("stdout") || stream.equals("stderr");
        if (!known || tag.isEmpty() || "PF".indexOf(tag.charAt(0)) < 0) {
            return Optional.of(new LogLine("", false, ByteString.copyFrom(record)));
        }
        boolean error = stream.equals("stderr");
        Partial partial = error ? err : out;
        if (partial.text.size() == 0) {
            partial.time = text(record, 0, first);
        }
        partial.text.write(record, third + 1, record.length - third - 1);
        return tag.charAt(0) == 'F' || partial.text.size() >= MAX_LINE
                ? Optional.of(take(partial, error))
                : Optional.empty();
    }

    private static LogLine take(Partial partial, boolean error) {
        var line = new LogLine(partial.time, error, ByteString.copyFrom(partial.text.toByteArray()));
        partial.text.reset();
        return line;
    }

    private static int indexOf(byte[] record, int from) {
        for (int i = from; i < record.length; i++) {
            if (record[i] == ' ') {
                return i;
            }
        }
        return -1;
    }

    private static String text(byte[] record, int from, int to) {
        return new String(Arrays.copyOfRange(record, from, to), StandardCharsets.UTF_8);
    }
}
