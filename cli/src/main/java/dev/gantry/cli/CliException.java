package dev.gantry.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Why a command failed: one sentence for the user, and the exit code that scripts see.
abstract sealed class CliException extends RuntimeException {

    private final ExitCode exitCode;

    private CliException(ExitCode exitCode, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    ExitCode exitCode() {
        return exitCode;
    }

    /// What to print: the message, which is never absent.
    String sentence() {
        String message = getMessage();
        return message == null ? "failed for a reason that was not told" : message;
    }

    /// The daemon refused, or a step of the command did not work out.
    static final class Failed extends CliException {
        Failed(String message) {
            super(ExitCode.FAILED, message, null);
        }

        Failed(String message, @Nullable Throwable cause) {
            super(ExitCode.FAILED, message, cause);
        }
    }

    /// The command line cannot be carried out as it stands.
    static final class Usage extends CliException {
        Usage(String message) {
            super(ExitCode.USAGE, message, null);
        }
    }

    /// A manifest cannot be carried out as it stands. The sentence names every place that is wrong,
    /// one a line, each as `file:line:column: what`.
    static final class BadManifest extends CliException {
        BadManifest(List<String> problems) {
            super(ExitCode.USAGE, String.join("\n", problems), null);
        }
    }

    /// There is no object of the name given.
    static final class NotFound extends CliException {
        NotFound(String message) {
            super(ExitCode.NOT_FOUND, message, null);
        }
    }

    /// Nobody serves the socket.
    static final class Unreachable extends CliException {
        Unreachable(String message, @Nullable Throwable cause) {
            super(ExitCode.UNREACHABLE, message, cause);
        }
    }

    /// Any failure as one of ours. What a status of the daemon says stays word for word.
    static CliException of(Throwable failure, String address) {
        return switch (failure) {
            case CliException known -> known;
            case StatusRuntimeException answer -> of(answer, address);
            default -> new Failed(text(failure.getMessage(), failure.toString()), failure);
        };
    }

    private static CliException of(StatusRuntimeException answer, String address) {
        Status status = answer.getStatus();
        String description = text(
                status.getDescription(),
                "the daemon answered " + status.getCode().name());
        return switch (status.getCode()) {
            case NOT_FOUND -> new NotFound(description);
            // a status that came over the wire has no cause, a connection that broke has one
            case UNAVAILABLE ->
                status.getCause() == null
                        ? new Failed(description, answer)
                        : new Unreachable(
                                "cannot reach the daemon at %s: is gantryd running?".formatted(address), answer);
            case DEADLINE_EXCEEDED -> new Failed("the daemon did not answer in time: " + description, answer);
            case UNIMPLEMENTED -> new Failed("this daemon cannot do that yet: " + description, answer);
            default -> new Failed(description, answer);
        };
    }

    private static String text(@Nullable String wanted, String otherwise) {
        return wanted == null || wanted.isBlank() ? otherwise : wanted.strip();
    }
}
