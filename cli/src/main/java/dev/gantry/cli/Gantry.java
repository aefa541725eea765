package dev.gantry.cli;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/// The command `gantry`: finds the sub-command, lets picocli fill it in, runs it, and turns every
/// failure into one sentence on stderr and an [ExitCode].
public final class Gantry {

    private final Terminal terminal;

    private final StopSignal stop;

    Gantry(Terminal terminal, StopSignal stop) {
        this.terminal = terminal;
        this.stop = stop;
    }

    /// Runs one command and ends the process with its exit code.
    public static void main(String[] arguments) {
        Connection.preferAFastStart();
        var stop = new StopSignal();
        stop.install();
        int code = new Gantry(Terminal.ofProcess(), stop).run(List.of(arguments));
        System.out.flush();
        stop.finished(code);
        System.exit(code);
    }

    int run(List<String> arguments) {
        String address = terminal.variable("GANTRY_ADDRESS", Connection.DEFAULT_ADDRESS);
        try {
            var rest = new ArrayList<>(arguments);
            address = leadingAddress(rest, address);
            return dispatch(rest, address);
        } catch (InterruptedException e) {
            return ExitCode.INTERRUPTED.value();
        } catch (RuntimeException e) {
            if (stop.requested()) {
                return ExitCode.INTERRUPTED.value(); // what failed was a call that the signal cut off
            }
            CliException failure = CliException.of(e, address);
            failure.sentence().lines().forEach(line -> terminal.err().println("gantry: " + line));
            return failure.exitCode().value();
        }
    }

    /// Takes `--address SOCKET` off the front, where it may stand too.
    private static String leadingAddress(List<String> words, String otherwise) {
        String address = otherwise;
        while (!words.isEmpty() && words.getFirst().startsWith("--address")) {
            String word = words.removeFirst();
            if (word.startsWith("--address=")) {
                address = word.substring("--address=".length());
            } else if (word.equals("--address") && !words.isEmpty()) {
                address = words.removeFirst();
            } else {
                throw new CliException.Usage("expected --address SOCKET, not " + word);
            }
        }
        return address;
    }

    private int dispatch(List<String> words, String address) throws InterruptedException {
        if (words.isEmpty()) {
            HelpCommand.overview(terminal.err());
            return ExitCode.USAGE.value();
        }
        String word = words.removeFirst();
        Commands command = Commands.named(word)
                .orElseThrow(() ->
                        new CliException.Usage("there is no command %s; gantry help lists them all".formatted(word)));
        return run(command, words, address);
    }

    private int run(Commands which, List<String> words, String address) throws InterruptedException {
        Command command = which.make();
        var common = new CommonOptions();
        CommandLine line = commandLine(which, command, common);
        try {
            line.parseArgs(words.toArray(String[]::new));
        } catch (ParameterException e) {
            throw new CliException.Usage("%s (gantry help %s)".formatted(e.getMessage(), which.word()));
        }
        if (common.help) {
            line.usage(terminal.out());
            return ExitCode.OK.value();
        }
        String wanted = common.address == null ? address : common.address;
        return command.run(new Session(terminal, wanted, stop));
    }

    static CommandLine commandLine(Commands which, Command command, CommonOptions common) {
        CommandSpec spec = CommandSpec.forAnnotatedObject(command)
                .name("gantry " + which.word())
                .addMixin("common", CommandSpec.forAnnotatedObject(common));
        spec.usageMessage().description(which.description()).abbreviateSynopsis(true);
        return new CommandLine(spec)
                .setCaseInsensitiveEnumValuesAllowed(true)
                // what follows the container belongs to the command that is run in it
                .setStopAtPositional(which == Commands.EXEC);
    }
}
