package dev.gantry.cli;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Parameters;

/// `gantry help`: all commands, one command, or the exit codes.
final class HelpCommand implements Command {

    @Parameters(arity = "0..1", paramLabel = "COMMAND", description = "A command, or exit-codes.")
    private List<String> topics = new ArrayList<>();

    @Override
    public int run(Session session) {
        PrintStream out = session.terminal().out();
        if (topics.isEmpty()) {
            overview(out);
        } else if (topics.getFirst().equals("exit-codes")) {
            exitCodes(out);
        } else {
            Commands command = Commands.named(topics.getFirst())
                    .orElseThrow(() -> new CliException.Usage(
                            "there is no help on %s; gantry help lists all commands".formatted(topics.getFirst())));
            Gantry.commandLine(command, command.make(), new CommonOptions()).usage(out);
        }
        return ExitCode.OK.value();
    }

    static void overview(PrintStream out) {
        out.println("usage: gantry [--address SOCKET] COMMAND [OPTION...] [ARGUMENT...]");
        out.println();
        for (Commands command : Commands.values()) {
            out.printf("  %-9s %s%n", command.word(), command.description());
        }
        out.println();
        out.println(
                "The socket is that of --address, else of GANTRY_ADDRESS, else " + Connection.DEFAULT_ADDRESS + ".");
        out.println("Pods and containers are named by id, by the beginning of an id, or by name: POD or");
        out.println("NAMESPACE/POD, CONTAINER or POD/CONTAINER. gantry help COMMAND explains one command.");
    }

    private static void exitCodes(PrintStream out) {
        for (ExitCode code : ExitCode.values()) {
            out.printf("%4d  %s%n", code.value(), code.meaning());
        }
        out.println();
        out.println(
                "gantry exec ends with the exit code of the command that it ran, gantry run with that of the first");
        out.println("container that ended badly for good (0 if none did).");
    }
}
