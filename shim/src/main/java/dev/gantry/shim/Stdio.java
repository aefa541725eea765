package dev.gantry.shim;

/// Where the streams of a process go: paths of FIFOs, `file://` or `binary://` addresses, or empty for none.
///
/// @param terminal whether the process has a terminal; its output then goes to `stdout` alone
public record Stdio(String stdin, String stdout, String stderr, boolean terminal) {

    public Stdio {
        if (terminal && !stderr.isEmpty()) {
            throw new IllegalArgumentException("a terminal has no separate stderr: " + stderr);
        }
    }

    /// All streams are `/dev/null`.
    public static Stdio none() {
        return new Stdio("", "", "", false);
    }
}
