package dev.gantry.cli;

import java.util.List;

/// Does the same with several things: one that fails is told on stderr and does not keep the others
/// from being done. The exit code is that of the first failure.
final class ForEach {

    interface Action {
        void accept(String reference) throws InterruptedException;
    }

    private ForEach() {}

    static int run(Session session, List<String> references, Action action) throws InterruptedException {
        ExitCode result = ExitCode.OK;
        for (String reference : references) {
            try {
                action.accept(reference);
            } catch (RuntimeException e) {
                CliException failure = CliException.of(e, session.address());
                session.terminal().err().println("gantry: " + failure.sentence());
                result = result == ExitCode.OK ? failure.exitCode() : result;
            }
        }
        return result.value();
    }
}
