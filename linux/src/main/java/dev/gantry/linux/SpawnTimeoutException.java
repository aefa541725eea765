package dev.gantry.linux;

import java.time.Duration;

/// A program did not end in time and was killed with its process group.
public final class SpawnTimeoutException extends RuntimeException {

    private final String output;

    SpawnTimeoutException(String program, Duration limit, String output) {
        super("%s did not end within %s".formatted(program, limit) + (output.isBlank() ? "" : ": " + output.strip()));
        this.output = output;
    }

    /// What it had written to its standard error until then.
    public String output() {
        return output;
    }
}
