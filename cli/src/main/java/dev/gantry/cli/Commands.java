package dev.gantry.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// All commands, in the order of the overview. Their classes are loaded only when they are asked
/// for, since starting fast matters more for a command line than anything else.
enum Commands {
    PS("List containers."),
    PODS("List pods."),
    IMAGES("List images."),
    STATUS("Tell whether the node is ready, and how its daemon is set up."),
    VERSION("Print the versions of this command and of the daemon."),
    HELP("Explain a command, or the exit codes: gantry help exit-codes.");

    private final String description;

    Commands(String description) {
        this.description = description;
    }

    static Optional<Commands> named(String word) {
        return Arrays.stream(values()).filter(c -> c.word().equals(word)).findFirst();
    }

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    String description() {
        return description;
    }

    Command make() {
        return switch (this) {
            case PS -> new PsCommand();
            case PODS -> new PodsCommand();
            case IMAGES -> new ImagesCommand();
            case STATUS -> new StatusCommand();
            case VERSION -> new VersionCommand();
            case HELP -> new HelpCommand();
        };
    }
}
