package dev.gantry.daemon;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;

/// How a line of the log looks. Text from outside (image names, error messages of plugins) cannot begin
/// a line of its own in either form.
final class LogFormats {

    private static final long DAY = 86_400_000L;

    private LogFormats() {}

    /// `2026-11-22T15:00:00.000Z INFO  Daemon: serving address=/run/gantry/gantry.sock`
    static String text(LogEvent event) {
        StringBuilder line = new StringBuilder(160);
        time(line, event.time());
        line.append(' ').append(event.level());
        line.append(" ".repeat(6 - event.level().name().length()));
        line.append(event.logger()).append(": ");
        message(line, event.message());
        for (KeyValuePair pair : event.pairs()) {
            line.append(' ').append(pair.key).append('=');
            value(line, String.valueOf(pair.value));
        }
        line.append('\n');
        if (event.cause() != null) {
            line.append(trace(event.cause()).replace("\n", "\n    ").strip().indent(4));
        }
        return line.toString();
    }

    /// `{"time":"2026-11-22T15:00:00.000Z","level":"info","logger":"Daemon","message":"serving",…}`
    static String json(LogEvent event) {
        StringBuilder line = new StringBuilder(200);
        line.append("{\"time\":\"");
        time(line, event.time());
        line.append('"');
        member(line, "level", event.level().name().toLowerCase(Locale.ROOT));
        member(line, "logger", event.logger());
        member(line, "message", event.message());
        for (KeyValuePair pair : event.pairs()) {
            member(line, pair.key, String.valueOf(pair.value));
        }
        if (event.cause() != null) {
            member(line, "error", trace(event.cause()));
        }
        return line.append("}\n").toString();
    }

    private static void member(StringBuilder line, String key, String value) {
        line.append(",\"");
        escape(line, key);
        line.append("\":\"");
        escape(line, value);
        line.append('"');
    }

    /// As it is, but on one line: quotes begin nothing here.
    private static void message(StringBuilder line, @Nullable String text) {
        if (text != null && text.chars().anyMatch(LogFormats::isControl)) {
            escape(line, text);
        } else {
            line.append(text);
        }
    }

    private static boolean isControl(int c) {
        return c < ' ' || (c >= 0x7f && c < 0xa0);
    }

    /// Quoted unless it is one plain word.
    private static void value(StringBuilder line, String value) {
        boolean plain = !value.isEmpty()
                && value.chars().allMatch(c -> c > ' ' && c != '"' && c != '=' && c != '\\' && !isControl(c));
        if (plain) {
            line.append(value);
            return;
        }
        line.append('"');
        escape(line, value);
        line.append('"');
    }

    private static void escape(StringBuilder line, @Nullable String text) {
        if (text == null) {
            return;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> line.append("\\\"");
                case '\\' -> line.append("\\\\");
                case '\n' -> line.append("\\n");
                case '\r' -> line.append("\\r");
                case '\t' -> line.append("\\t");
                default -> {
                    if (isControl(c)) {
                        line.append("\\u00").append(hex(c >> 4)).append(hex(c));
                    } else {
                        line.append(c);
                    }
                }
            }
        }
    }

    private static char hex(int digit) {
        return Character.forDigit(digit & 0xf, 16);
    }

    private static String trace(Throwable cause) {
        StringWriter text = new StringWriter();
        cause.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    /// UTC with milliseconds. By hand, since java.time's formatters cost more at the start than all the
    /// rest of logging; the calendar is that of https://howardhinnant.github.io/date_algorithms.html.
    static void time(StringBuilder line, long millis) {
        long day = Math.floorDiv(millis, DAY);
        int ofDay = (int) Math.floorMod(millis, DAY);
        long shifted = day + 719_468;
        long era = Math.floorDiv(shifted, 146_097L);
        long ofEra = shifted - era * 146_097;
        long year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365;
        long ofYear = ofEra - (365 * year + year / 4 - year / 100);
        long month = (5 * ofYear + 2) / 153;
        long date = ofYear - (153 * month + 2) / 5 + 1;
        boolean late = month >= 10;
        digits(line, year + era * 400 + (late ? 1 : 0), 4).append('-');
        digits(line, late ? month - 9 : month + 3, 2).append('-');
        digits(line, date, 2).append('T');
        digits(line, ofDay / 3_600_000, 2).append(':');
        digits(line, ofDay / 60_000 % 60, 2).append(':');
        digits(line, ofDay / 1000 % 60, 2).append('.');
        digits(line, ofDay % 1000, 3).append('Z');
    }

    private static StringBuilder digits(StringBuilder line, long number, int width) {
        for (long least = tenTo(width - 1); least > number && least > 1; least /= 10) {
            line.append('0');
        }
        return line.append(number);
    }

    private static long tenTo(int exponent) {
        long power = 1;
        for (int i = 0; i < exponent; i++) {
            power *= 10;
        }
        return power;
    }
}
