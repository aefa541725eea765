package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What can go wrong with images: the subclass says whose fault it is and so what helps, the message names the image
/// or the registry. No message ever holds a credential.
public abstract sealed class ImageException extends RuntimeException {

    private ImageException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /// A name that is not the name of an image.
    public static final class InvalidReference extends ImageException {
        private final String problem;

        public InvalidReference(String reference, String problem) {
            super("invalid image reference '%s': %s".formatted(reference, problem), null);
            this.problem = problem;
        }

        String problem() {
            return problem;
        }
    }

    /// The image is not on this node.
    public static final class NotFound extends ImageException {
        public NotFound(String reference) {
            super("image %s not found".formatted(reference), null);
        }
    }

    /// An id prefix that fits more than one image.
    public static final class Ambiguous extends ImageException {
        public Ambiguous(String prefix, int matches) {
            super("image id %s is ambiguous: %d images begin so".formatted(prefix, matches), null);
        }
    }

    /// The registry has no such repository, tag or blob.
    public static final class NotInRegistry extends ImageException {
        public NotInRegistry(String what, String host) {
            super("%s not found in registry %s".formatted(what, host), null);
        }
    }

    /// The image is not made for this platform.
    public static final class NoPlatform extends ImageException {
        public NoPlatform(String reference, String wanted, List<String> present) {
            super(
                    "image %s has nothing for platform %s; it has %s"
                            .formatted(reference, wanted, present.isEmpty() ? "none" : String.join(", ", present)),
                    null);
        }
    }

    /// Files, not an image: a volume can show them, a container cannot run them.
    public static final class NotRunnable extends ImageException {
        public NotRunnable(Digest id) {
            super("%s is an artifact, not an image that can be run; it can be mounted as a volume".formatted(id), null);
        }
    }

    /// The registry wants to know who asks, or does not believe the credentials.
    public static final class Unauthenticated extends ImageException {
        public Unauthenticated(String what, String host, String detail) {
            super("registry %s refuses %s: %s".formatted(host, what, detail), null);
        }
    }

    /// The registry knows who asks, and says no.
    public static final class Forbidden extends ImageException {
        public Forbidden(String what, String host, String detail) {
            super("registry %s denies %s: %s".formatted(host, what, detail), null);
        }
    }

    /// The registry cannot be reached, or fails. The kubelet matches the beginning of this message.
    public static final class RegistryUnavailable extends ImageException {
        public RegistryUnavailable(String what, String host, String problem, @Nullable Throwable cause) {
            super("RegistryUnavailable: cannot get %s from registry %s: %s".formatted(what, host, problem), cause);
        }
    }

    /// The image policy of this node has not accepted the image. The kubelet matches the beginning of this message.
    public static final class SignatureRefused extends ImageException {
        /// @param problem who did not accept it, and why
        /// @param remedy what the reader can do
        public SignatureRefused(String image, String problem, String remedy, @Nullable Throwable cause) {
            super("SignatureValidationFailed: cannot pull %s: %s; %s".formatted(image, problem, remedy), cause);
        }
    }

    /// Nothing arrived for so long that the pull was given up.
    public static final class TimedOut extends ImageException {
        public TimedOut(String what, String host, Duration waited) {
            super("%s: registry %s sent nothing for %d seconds".formatted(what, host, waited.toSeconds()), null);
        }
    }

    /// What came from the registry or from a layout is not what it should be: a wrong digest, a broken document, a
    /// layer that cannot be or must not be unpacked.
    public static final class BadContent extends ImageException {
        public BadContent(String message) {
            super(message, null);
        }

        public BadContent(String message, @Nullable Throwable cause) {
            super(message, cause);
        }

        static BadContent layer(Digest layer, String problem, @Nullable Throwable cause) {
            return new BadContent("cannot unpack layer %s: %s".formatted(layer, problem), cause);
        }
    }

    /// A file of the registry configuration that cannot be used.
    public static final class BadConfiguration extends ImageException {
        public BadConfiguration(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /// The caller gave up.
    public static final class Cancelled extends ImageException {
        public Cancelled(String what) {
            super("%s was cancelled".formatted(what), null);
        }
    }

    /// The disk or the file system of this node failed.
    public static final class LocalFailure extends ImageException {
        public LocalFailure(String message, Throwable cause) {
            super(message, cause);
        }
    }
}
