package dev.gantry.sandbox;

import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The parts of an SELinux label (CRI `SELinuxOption`); a part may be empty.
public record SelinuxLabel(String user, String role, String type, String level) {

    public static final SelinuxLabel NONE = new SelinuxLabel("", "", "", "");

    /// @param text as the kernel and its policies write it: `system_u:system_r:container_t:s0:c1,c2`, or without a
    /// level
    static SelinuxLabel parse(String text) {
        String[] parts = text.split(":", 4);
        if (parts.length < 3) {
            throw new IllegalArgumentException("no SELinux label: " + text);
        }
        return new SelinuxLabel(parts[0], parts[1], parts[2], parts.length == 4 ? parts[3] : "");
    }

    public boolean isEmpty() {
        return equals(NONE);
    }

    /// With what it does not say as another says it: containers of a pod share its level, or they could not share its
    /// files.
    public SelinuxLabel or(SelinuxLabel other) {
        return new SelinuxLabel(
                or(user, other.user), or(role, other.role), or(type, other.type), or(level, other.level));
    }

    SelinuxLabel at(String otherLevel) {
        return new SelinuxLabel(user, role, type, otherLevel);
    }

    /// As the kernel writes it; empty for none.
    @Override
    public String toString() {
        return Stream.of(user, role, type, level).filter(it -> !it.isEmpty()).collect(Collectors.joining(":"));
    }

    private static String or(String value, String other) {
        return value.isEmpty() ? other : value;
    }
}
