package dev.gantry.cli;

/// What a script learns from the way `gantry` ended. `gantry exec` passes the command's own exit
/// code on instead, and `gantry run` that of the first container that failed.
enum ExitCode {
    OK(0, "all that was asked for is done"),
    FAILED(1, "the daemon refused, or something went wrong on the way"),
    USAGE(2, "the command line or the manifest is wrong; nothing was done"),
    NOT_FOUND(3, "no such pod, container or image"),
    UNREACHABLE(4, "the daemon does not answer at the address"),
    INTERRUPTED(130, "gantry run was told to stop (Ctrl-C, SIGTERM); its pod is gone");

    private final int value;
    private final String meaning;

    ExitCode(int value, String meaning) {
        this.value = value;
        this.meaning = meaning;
    }

    int value() {
        return value;
    }

    String meaning() {
        return meaning;
    }
}
