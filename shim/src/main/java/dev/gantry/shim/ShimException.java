package dev.gantry.shim;

import org.jspecify.annotations.Nullable;

/// A shim could not be started, reached, or did not do what it was asked. The subclass says what a caller can
/// do about it, the message says what was attempted on which object, and ends with the shim's own words if it
/// had any.
public abstract sealed class ShimException extends RuntimeException {

    private final String reason;

    private ShimException(String attempt, String reason, @Nullable Throwable cause) {
        super(reason.isEmpty() ? attempt : attempt + ": " + reason, cause);
        this.reason = reason;
    }

    /// What the shim, or the system, said; without what was attempted.
    public final String reason() {
        return reason;
    }

    /// The shim knows no such container or process, or the process has ended already.
    public static final class NotFound extends ShimException {
        NotFound(String attempt, String reason) {
            super(attempt, reason, null);
        }
    }

    /// A container or process of that id is there.
    public static final class AlreadyExists extends ShimException {
        AlreadyExists(String attempt, String reason) {
            super(attempt, reason, null);
        }
    }

    /// The container or process is in a state that does not allow this.
    public static final class FailedPrecondition extends ShimException {
        FailedPrecondition(String attempt, String reason) {
            super(attempt, reason, null);
        }
    }

    /// The shim is gone or cannot be reached; whether it did what it was asked is not known.
    public static final class Unavailable extends ShimException {
        Unavailable(String attempt, String reason, @Nullable Throwable cause) {
            super(attempt, reason, cause);
        }
    }

    /// No answer came in time; whether the shim did what it was asked is not known.
    public static final class TimedOut extends ShimException {
        TimedOut(String attempt, String reason) {
            super(attempt, reason, null);
        }
    }

    /// The shim answered with an error that has no subclass of its own: what runc says arrives so.
    public static final class Rejected extends ShimException {

        private final StatusCode code;

        Rejected(String attempt, StatusCode code, String reason) {
            super(attempt, reason, null);
            this.code = code;
        }

        public StatusCode code() {
            return code;
        }
    }

    /// The binary of a shim failed, or answered what is no answer.
    public static final class StartFailed extends ShimException {

        private final String output;

        StartFailed(String attempt, String output, @Nullable Throwable cause) {
            super(attempt, output, cause);
            this.output = output;
        }

        /// What the binary printed, cut to a length fit for a log.
        public String output() {
            return output;
        }
    }

    /// The exception for an answer that is an error.
    static ShimException of(String attempt, StatusCode code, String reason) {
        return switch (code) {
            case NOT_FOUND -> new NotFound(attempt, reason);
            case ALREADY_EXISTS -> new AlreadyExists(attempt, reason);
            case FAILED_PRECONDITION -> new FailedPrecondition(attempt, reason);
            case UNAVAILABLE -> new Unavailable(attempt, reason, null);
            case DEADLINE_EXCEEDED -> new TimedOut(attempt, reason);
            default -> new Rejected(attempt, code, reason);
        };
    }
}
