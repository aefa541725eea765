package dev.gantry.cli;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Runs `gantry` as a user would, in this process, and keeps what the last run printed.
final class CommandRun {

    private final Path socket;
    private StopSignal stop = new StopSignal();
    private ByteArrayOutputStream out = new ByteArrayOutputStream();
    private ByteArrayOutputStream err = new ByteArrayOutputStream();

    CommandRun(Path socket) {
        this.socket = socket;
    }

    int run(String... arguments) {
        out = new ByteArrayOutputStream();
        err = new ByteArrayOutputStream();
        var terminal = new Terminal(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                Map.of("GANTRY_ADDRESS", socket.toString()),
                false);
        return new Gantry(terminal, stop).run(List.of(arguments));
    }

    /// From now on a run can be stopped as by Ctrl-C.
    StopSignal stoppable() {
        stop = new StopSignal();
        return stop;
    }

    String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String err() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
