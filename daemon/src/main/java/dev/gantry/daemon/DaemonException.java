package dev.gantry.daemon;

import java.util.List;

/// A reason for which the daemon does not start. Each message says what to do.
public abstract sealed class DaemonException extends RuntimeException {

    private final String text;

    private DaemonException(String message) {
        super(message);
        this.text = message;
    }

    private DaemonException(String message, Throwable cause) {
        super(message, cause);
        this.text = message;
    }

    /// Never null; several problems stand on a line each.
    @Override
    public String getMessage() {
        return text;
    }

    /// The configuration cannot be read, or says what it must not. One line for each problem.
    public static final class BadConfiguration extends DaemonException {
        BadConfiguration(List<String> problems) {
            super(String.join("\n", problems));
        }

        BadConfiguration(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /// The command line makes no sense.
    public static final class BadUsage extends DaemonException {
        BadUsage(String message) {
            super(message);
        }
    }

    /// The host lacks something that no pod can do without. One line for each thing.
    public static final class UnfitHost extends DaemonException {
        UnfitHost(List<String> lacks) {
            super(String.join("\n", lacks));
        }
    }

    /// Another daemon works with the same root or listens on the same address.
    public static final class AlreadyRunning extends DaemonException {
        AlreadyRunning(String message) {
            super(message);
        }
    }

    /// The socket cannot be made.
    public static final class CannotListen extends DaemonException {
        CannotListen(String message, Throwable cause) {
            super(message, cause);
        }

        CannotListen(String message) {
            super(message);
        }
    }
}
