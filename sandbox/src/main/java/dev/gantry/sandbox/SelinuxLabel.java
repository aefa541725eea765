package dev.gantry.sandbox;

/// The parts of an SELinux label (CRI `SELinuxOption`); a part may be empty.
public record SelinuxLabel(String user, String role, String type, String level) {

    public static final SelinuxLabel NONE = new SelinuxLabel("", "", "", "");

    public boolean isEmpty() {
        return equals(NONE);
    }

    /// With what it does not say as another says it: containers of a pod share its level, or they could not share its
    /// files.
    public SelinuxLabel or(SelinuxLabel other) {
        return new SelinuxLabel(
                or(user, other.user), or(role, other.role), or(type, other.type), or(level, other.level));
    }

    /// As the kernel writes it, for a process; empty for none.
    public String ofProcess() {
        return isEmpty() ? "" : complete("system_r", "container_t");
    }

    /// For files that the process may use.
    public String ofFiles() {
        return isEmpty()
                ? ""
                : new SelinuxLabel(user, "object_r", "container_file_t", level)
                        .complete("object_r", "container_file_t");
    }

    private String complete(String usualRole, String usualType) {
        return "%s:%s:%s:%s".formatted(or(user, "system_u"), or(role, usualRole), or(type, usualType), or(level, "s0"));
    }

    private static String or(String value, String other) {
        return value.isEmpty() ? other : value;
    }
}
