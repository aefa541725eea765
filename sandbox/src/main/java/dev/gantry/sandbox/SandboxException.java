package dev.gantry.sandbox;

import org.jspecify.annotations.Nullable;

/// A failure to do with a pod sandbox; the subclass says what the client can do about it.
public abstract sealed class SandboxException extends RuntimeException {

    private SandboxException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /// No sandbox has that id.
    public static final class NotFound extends SandboxException {
        public NotFound(String id) {
            super("pod sandbox %s not found".formatted(id), null);
        }
    }

    /// Several sandboxes have ids that begin so.
    public static final class Ambiguous extends SandboxException {
        public Ambiguous(String prefix) {
            super("pod sandbox id %s is ambiguous: give more of it".formatted(prefix), null);
        }
    }

    /// Another sandbox has the name.
    public static final class NameTaken extends SandboxException {
        public NameTaken(String name, String holder) {
            this("pod sandbox name %s is taken by pod sandbox %s".formatted(name, holder));
        }

        /// @param message why, as a whole
        public NameTaken(String message) {
            super(message, null);
        }
    }

    /// The request can never succeed as it is.
    public static final class InvalidRequest extends SandboxException {
        public InvalidRequest(String message) {
            super(message, null);
        }
    }

    /// The sandbox is not in the state that the request needs.
    public static final class WrongState extends SandboxException {
        public WrongState(String message) {
            super(message, null);
        }
    }

    /// The request was right, but a step of it failed; the cause says which.
    public static final class Failed extends SandboxException {
        /// @param attempt what failed; what the cause says is added to it
        public Failed(String attempt, @Nullable Throwable cause) {
            super(cause == null ? attempt : attempt + ": " + cause.getMessage(), cause);
        }
    }
}
