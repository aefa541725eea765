package dev.gantry.sandbox;

/// The parts of an SELinux label (CRI `SELinuxOption`); a part may be empty.
public record SelinuxLabel(String user, String role, String type, String level) {

    public static final SelinuxLabel NONE = new SelinuxLabel("", "", "", "");

    public boolean isEmpty() {
        return equals(NONE);
    }
}
