package dev.gantry.runtime;

import org.jspecify.annotations.Nullable;

/// A failure to do with a container; the subclass says what the client can do about it.
public abstract sealed class ContainerException extends RuntimeException {

    private ContainerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /// No container has that id.
    public static final class NotFound extends ContainerException {
        public NotFound(String id) {
            super("container %s not found".formatted(id), null);
        }
    }

    /// The image that the request names is not on the node.
    public static final class NoImage extends ContainerException {
        public NoImage(String container, String image) {
            super(
                    "cannot create container %s: image %s not found on this node; pull it first"
                            .formatted(container, image),
                    null);
        }
    }

    /// Several containers have ids that begin so.
    public static final class Ambiguous extends ContainerException {
        public Ambiguous(String prefix) {
            super("container id %s is ambiguous: give more of it".formatted(prefix), null);
        }
    }

    /// Another container has the name.
    public static final class NameTaken extends ContainerException {
        public NameTaken(String name, String holder) {
            this("container name %s is taken by container %s".formatted(name, holder));
        }

        /// @param message why, as a whole
        public NameTaken(String message) {
            super(message, null);
        }
    }

    /// The request can never succeed as it is.
    public static final class InvalidRequest extends ContainerException {
        public InvalidRequest(String message) {
            super(message, null);
        }
    }

    /// An image cannot be mounted as a volume. The kubelet looks for the word that the message begins with.
    public static final class ImageVolumeFailed extends ContainerException {
        public ImageVolumeFailed(String image, String path, Throwable cause) {
            super(
                    "ImageVolumeMountFailed: cannot mount image %s on %s: %s"
                            .formatted(image, path, cause.getMessage()),
                    cause);
        }
    }

    /// The container is not in the state that the request needs.
    public static final class WrongState extends ContainerException {
        public WrongState(String message) {
            super(message, null);
        }
    }

    /// A bound of the daemon's own is reached; later it may be free again.
    public static final class TooMany extends ContainerException {
        public TooMany(String message) {
            super(message, null);
        }
    }

    /// The work was not done in the time that the request gave.
    public static final class TimedOut extends ContainerException {
        public TimedOut(String message) {
            super(message, null);
        }
    }

    /// The request was right, but a step of it failed; the cause says which.
    public static final class Failed extends ContainerException {
        /// @param attempt what failed; what the cause says is added to it
        public Failed(String attempt, @Nullable Throwable cause) {
            super(cause == null ? attempt : attempt + ": " + cause.getMessage(), cause);
        }
    }
}
