package dev.gantry.linux;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The kernel's version, as far as it decides what it can do.
public record KernelVersion(int major, int minor, String release) implements Comparable<KernelVersion> {

    private static final Pattern RELEASE = Pattern.compile("(\\d{1,4})\\.(\\d{1,4}).*");

    /// From a release such as `6.1.0-44-amd64`.
    static KernelVersion parse(String release) {
        Matcher matcher = RELEASE.matcher(release.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a kernel release: " + release);
        }
        return new KernelVersion(
                Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)), release.strip());
    }

    public boolean atLeast(int otherMajor, int otherMinor) {
        return major > otherMajor || (major == otherMajor && minor >= otherMinor);
    }

    @Override
    public int compareTo(KernelVersion other) {
        return major != other.major ? Integer.compare(major, other.major) : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return release;
    }
}
