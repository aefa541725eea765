package dev.gantry.cli;

import java.io.PrintStream;
import java.util.Map;

/// Where a command writes: results to `out`, progress and errors to `err`. `interactive` tells that
/// a person looks at `err`, so that lines may be redrawn.
record Terminal(PrintStream out, PrintStream err, Map<String, String> environment, boolean interactive) {

    static Terminal ofProcess() {
        boolean person = isTerminal() && !"dumb".equals(System.getenv("TERM"));
        return new Terminal(System.out, System.err, System.getenv(), person);
    }

    @SuppressWarnings("SystemConsoleNull") // null without a terminal, since 25 again
    private static boolean isTerminal() {
        var console = System.console();
        return console != null && console.isTerminal();
    }

    String variable(String name, String otherwise) {
        String value = environment.get(name);
        return value == null || value.isBlank() ? otherwise : value;
    }
}
