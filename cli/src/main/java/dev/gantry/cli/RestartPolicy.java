package dev.gantry.cli;

/// Whether a container that ended is started again.
enum RestartPolicy {
    ALWAYS,
    ON_FAILURE,
    NEVER;

    static RestartPolicy of(String word) {
        return switch (word) {
            case "Never" -> NEVER;
            case "OnFailure" -> ON_FAILURE;
            default -> ALWAYS;
        };
    }

    /// Init containers that ended well are done, whatever the policy.
    boolean restarts(int exitCode, boolean init) {
        return switch (this) {
            case ALWAYS -> !init || exitCode != 0;
            case ON_FAILURE -> exitCode != 0;
            case NEVER -> false;
        };
    }
}
