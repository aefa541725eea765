package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.ExecSyncRequest;
import dev.gantry.cri.runtime.v1.ExecSyncResponse;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `gantry exec`: runs a command in a container, waits for it, prints what it wrote and ends with
/// its exit code.
final class ExecCommand implements Command {

    @Option(
            names = {"-i", "--stdin"},
            hidden = true)
    private boolean stdin;

    @Option(
            names = {"-t", "--tty"},
            hidden = true)
    private boolean tty;

    @Option(names = "--timeout", paramLabel = "SECONDS", description = "Give up after so long; 0 waits for ever.")
    private long timeout;

    @Parameters(index = "0", paramLabel = "CONTAINER", description = "An id, a name or POD/NAME.")
    private String container = "";

    @Parameters(index = "1..*", paramLabel = "COMMAND", description = "The command and its arguments.")
    private List<String> command = new ArrayList<>();

    @Override
    public int run(Session session) {
        if (stdin || tty) {
            throw new CliException.Usage("exec cannot connect a terminal or stdin yet; run it without -i and -t");
        }
        List<String> words =
                !command.isEmpty() && command.getFirst().equals("--") ? command.subList(1, command.size()) : command;
        if (words.isEmpty()) {
            throw new CliException.Usage("exec needs a command: gantry exec %s -- COMMAND...".formatted(container));
        }
        ExecSyncResponse answer;
        try (Connection connection = session.connect()) {
            answer = connection
                    .runtimeWithoutDeadline()
                    .execSync(ExecSyncRequest.newBuilder()
                            .setContainerId(
                                    new Finder(connection).container(container).getId())
                            .addAllCmd(words)
                            .setTimeout(timeout)
                            .build());
        }
        write(session.terminal().out(), answer.getStdout().toByteArray());
        write(session.terminal().err(), answer.getStderr().toByteArray());
        return answer.getExitCode();
    }

    private static void write(PrintStream to, byte[] bytes) {
        to.write(bytes, 0, bytes.length);
        to.flush();
    }
}
