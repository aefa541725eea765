package dev.gantry.sandbox;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A version of runc, such as `1.1.5+ds1` or `1.4.0-rc.3`.
///
/// @param candidate the number of a release candidate; a release has the highest there is
record RuncVersion(int major, int minor, int patch, int candidate) implements Comparable<RuncVersion> {

    private static final Pattern FORM =
            Pattern.compile("v?(\\d{1,6})\\.(\\d{1,6})\\.(\\d{1,6})(?:-rc\\.?(\\d{1,6}))?(?:[-+~].*)?");
    private static final int RELEASE = Integer.MAX_VALUE;
    private static final Comparator<RuncVersion> ORDER = Comparator.comparingInt(RuncVersion::major)
            .thenComparingInt(RuncVersion::minor)
            .thenComparingInt(RuncVersion::patch)
            .thenComparingInt(RuncVersion::candidate);

    /// The first of each line with the fixes of November 2025; the lines before have none.
    private static final List<RuncVersion> FIXED =
            List.of(new RuncVersion(1, 2, 8, RELEASE), new RuncVersion(1, 3, 3, RELEASE), new RuncVersion(1, 4, 0, 3));

    static Optional<RuncVersion> parse(String text) {
        Matcher parts = FORM.matcher(text.strip());
        if (!parts.matches()) {
            return Optional.empty();
        }
        return Optional.of(new RuncVersion(
                Integer.parseInt(parts.group(1)),
                Integer.parseInt(parts.group(2)),
                Integer.parseInt(parts.group(3)),
                parts.group(4) == null ? RELEASE : Integer.parseInt(parts.group(4))));
    }

    /// Whether a container can get out by CVE-2025-31133, CVE-2025-52565 or CVE-2025-52881.
    boolean letsContainersOut() {
        RuncVersion fixed = FIXED.stream()
                .filter(it -> it.major == major && it.minor == minor)
                .findFirst()
                .orElse(FIXED.getFirst());
        return compareTo(fixed) < 0;
    }

    @Override
    public int compareTo(RuncVersion other) {
        return ORDER.compare(this, other);
    }
}
