package dev.gantry.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/// All commands, in the order of the overview. Their classes are loaded only when they are asked
/// for, since starting fast matters more for a command line than anything else.
enum Commands {
    RUN("Run a pod from a manifest."),
    PS("List containers."),
    PODS("List pods."),
    LOGS("Print what a container wrote."),
    EXEC("Run a command in a container."),
    INSPECT("Print all that is known of a pod or a container."),
    STOP("Stop pods or containers."),
    RM("Remove pods with their containers, volumes and logs."),
    IMAGES("List images."),
    PULL("Fetch an image."),
    RMI("Remove images."),
    STATUS("Tell whether the node is ready, and how its daemon is set up."),
    VERSION("Print the versions of this command and of the daemon."),
    HELP("Explain a command, or the exit codes: gantry help exit-codes.");

    private final String description;

    Commands(String description) {
        this.description = description;
    }

    /// The command of that name; the usual options stand for two of them.
    static Optional<Commands> named(String word) {
        if (word.equals("-h") || word.equals("--help")) {
            return Optional.of(HELP);
        }
        if (word.equals("-V") || word.equals("--version")) {
            return Optional.of(VERSION);
        }
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
            case RUN -> new RunCommand();
            case PS -> new PsCommand();
            case PODS -> new PodsCommand();
            case LOGS -> new LogsCommand();
            case EXEC -> new ExecCommand();
            case INSPECT -> new InspectCommand();
            case STOP -> new StopCommand();
            case RM -> new RmCommand();
            case PULL -> new PullCommand();
            case RMI -> new RmiCommand();
            case IMAGES -> new ImagesCommand();
            case STATUS -> new StatusCommand();
            case VERSION -> new VersionCommand();
            case HELP -> new HelpCommand();
        };
    }
}
