package dev.gantry.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Runs programs and collects what they say, on the calling thread alone. Blocks its carrier: call it
/// on a platform thread.
public final class Spawn {

    private static final int DEFAULT_LIMIT = 1 << 20;

    private Spawn() {}

    /// A program with the environment of this process and nothing on its standard input. Without a
    /// slash in its name it is looked up in PATH.
    public static Command command(String... argv) {
        return command(List.of(argv));
    }

    public static Command command(List<String> argv) {
        return new Command(argv, System.getenv(), Optional.empty(), new byte[0], DEFAULT_LIMIT, false, false);
    }

    /// What to run and how.
    ///
    /// @param environment the whole environment of the program
    /// @param input what it reads from its standard input
    /// @param outputLimit bytes kept of each of its outputs; what is beyond is read and dropped
    /// @param mergeErrors whether its standard error goes where its standard output goes
    /// @param untilEof whether to wait, until the time is up, for every process that holds its outputs;
    ///     else a daemon that it leaves behind is given one second to close them
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Command(
            List<String> argv,
            Map<String, String> environment,
            Optional<Path> directory,
            byte[] input,
            int outputLimit,
            boolean mergeErrors,
            boolean untilEof) {

        public Command {
            argv = List.copyOf(argv);
            environment = Map.copyOf(environment);
            if (argv.isEmpty()) {
                throw new IllegalArgumentException("no program to run");
            }
        }

        public Command env(String name, String value) {
            return env(Map.of(name, value));
        }

        /// Adds to the environment; an entry replaces one of the same name.
        public Command env(Map<String, String> more) {
            Map<String, String> all = new LinkedHashMap<>(environment);
            all.putAll(more);
            return new Command(argv, all, directory, input, outputLimit, mergeErrors, untilEof);
        }

        /// Leaves out what this process has in its environment.
        public Command emptyEnv() {
            return new Command(argv, Map.of(), directory, input, outputLimit, mergeErrors, untilEof);
        }

        public Command in(Path newDirectory) {
            return new Command(argv, environment, Optional.of(newDirectory), input, outputLimit, mergeErrors, untilEof);
        }

        public Command input(byte[] bytes) {
            return new Command(argv, environment, directory, bytes, outputLimit, mergeErrors, untilEof);
        }

        public Command limit(int bytes) {
            return new Command(argv, environment, directory, input, bytes, mergeErrors, untilEof);
        }

        public Command mergingErrors() {
            return new Command(argv, environment, directory, input, outputLimit, true, untilEof);
        }

        public Command untilEof(boolean wait) {
            return new Command(argv, environment, directory, input, outputLimit, mergeErrors, wait);
        }
    }

    /// How a program ended and what it wrote.
    ///
    /// @param exitCode 128 and the signal's number when a signal ended it
    /// @param truncated whether more was written than the limit allowed to keep
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Result(int exitCode, byte[] output, byte[] errors, boolean truncated) {

        public boolean ok() {
            return exitCode == 0;
        }

        public String outputText() {
            return new String(output, StandardCharsets.UTF_8);
        }

        /// Standard error, or the output when errors were merged into it, without outer white space.
        public String errorText() {
            return new String(errors.length > 0 ? errors : output, StandardCharsets.UTF_8).strip();
        }
    }

    /// Runs the command to its end. Neither descriptors nor zombies are left, however it ends.
    ///
    /// @throws ErrnoException when it cannot be started (ENOENT, EACCES, ETXTBSY …)
    /// @throws SpawnTimeoutException when it ran too long; its process group has been killed
    /// @throws InterruptedException when interrupted; its process group has been killed
    public static Result run(Command command, Duration timeout) throws InterruptedException {
        try (RunningCommand running = new RunningCommand(command, timeout)) {
            return running.run();
        }
    }
}
