package dev.gantry.cli;

import java.util.function.Supplier;

/// Names the step that failed: `cannot start the pod: <what the daemon says>`.
final class StepFailure {

    private StepFailure() {}

    static <T> T during(String step, Connection connection, Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException e) {
            CliException cause = CliException.of(e, connection.address());
            String sentence = "cannot %s: %s".formatted(step, cause.sentence());
            throw cause instanceof CliException.Unreachable
                    ? new CliException.Unreachable(sentence, e)
                    : new CliException.Failed(sentence, e);
        }
    }
}
