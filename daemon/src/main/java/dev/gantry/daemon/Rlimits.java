package dev.gantry.daemon;

import dev.gantry.cri.oci.OciProcess;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Limits of processes (setrlimit(2)) as people write them in a configuration: `nofile=1024:524288`, `core=unlimited`.
final class Rlimits {

    static final List<String> NAMES = List.of(
            "as",
            "core",
            "cpu",
            "data",
            "fsize",
            "locks",
            "memlock",
            "msgqueue",
            "nice",
            "nofile",
            "nproc",
            "rss",
            "rtprio",
            "rttime",
            "sigpending",
            "stack");

    private static final Pattern LIMIT = Pattern.compile("([a-z]+)=(unlimited|\\d{1,18})(?::(unlimited|\\d{1,18}))?");
    private static final long INFINITY = -1;

    private Rlimits() {}

    /// A single value is both the soft and the hard limit. Empty if the text is none.
    static Optional<OciProcess.Rlimit> parse(String text) {
        Matcher matcher = LIMIT.matcher(text);
        if (!matcher.matches() || !NAMES.contains(matcher.group(1))) {
            return Optional.empty();
        }
        long soft = value(matcher.group(2));
        long hard = matcher.group(3) == null ? soft : value(matcher.group(3));
        return Long.compareUnsigned(soft, hard) > 0
                ? Optional.empty()
                : Optional.of(new OciProcess.Rlimit("RLIMIT_" + matcher.group(1).toUpperCase(Locale.ROOT), soft, hard));
    }

    private static long value(String text) {
        return text.equals("unlimited") ? INFINITY : Long.parseLong(text);
    }
}
