package dev.gantry.storage;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What goes wrong in storage. The subclass says what the caller can do about it, the message says which object was
/// meant.
public abstract sealed class StorageException extends RuntimeException {

    private StorageException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /// Another process holds the store.
    public static final class Locked extends StorageException {
        public Locked(Path directory, String holder) {
            super(
                    "cannot open store %s: %s holds it; stop that daemon or use another root"
                            .formatted(directory, holder),
                    null);
        }
    }

    /// The store was closed before or during the call.
    public static final class Closed extends StorageException {
        public Closed(Path directory) {
            super("store %s is closed".formatted(directory), null);
        }
    }

    /// The directory holds a store that this program cannot read.
    public static final class WrongFormat extends StorageException {
        public WrongFormat(Path directory, String format, String writtenBy, String understood) {
            super(
                    "cannot open store %s: it has format %s, written by %s, and this program reads format %s; use that program, or another root"
                            .formatted(directory, format, writtenBy, understood),
                    null);
        }
    }

    /// What is on disk is not what was written there.
    public static final class Corrupt extends StorageException {
        public Corrupt(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /// The file system is full (or the quota used up). Nothing was kept of the operation; it can be repeated when
    /// there is space.
    public static final class NoSpace extends StorageException {
        public NoSpace(String attempted, Throwable cause) {
            super("cannot %s: no space left on device".formatted(attempted), cause);
        }
    }

    /// The disk failed the operation for another reason.
    public static final class Failed extends StorageException {
        public Failed(String attempted, Throwable cause) {
            super("cannot %s: %s".formatted(attempted, reason(cause)), cause);
        }
    }

    /// The object does not exist.
    public static final class NotFound extends StorageException {
        public NotFound(String kind, Object key) {
            super("%s %s not found".formatted(kind, key), null);
        }
    }

    /// The object exists already, or another object has its name.
    public static final class AlreadyExists extends StorageException {

        private final String owner;

        public AlreadyExists(String kind, Object key) {
            super("%s %s already exists".formatted(kind, key), null);
            this.owner = key.toString();
        }

        public AlreadyExists(String kind, Object key, String index, String value, String owner) {
            super("cannot store %s %s: %s %s is taken by %s".formatted(kind, key, index, value, owner), null);
            this.owner = owner;
        }

        /// The key of the object that is in the way.
        public String owner() {
            return owner;
        }
    }

    /// Something else uses the object now.
    public static final class InUse extends StorageException {
        public InUse(String kind, Object key, String why) {
            super("%s %s is in use: %s".formatted(kind, key, why), null);
        }
    }

    /// The object is not in the state that the operation needs.
    public static final class WrongState extends StorageException {
        public WrongState(String message) {
            super(message, null);
        }
    }

    /// The bytes are not those that were asked for.
    public static final class DigestMismatch extends StorageException {
        public DigestMismatch(Object expected, Object actual) {
            super("blob %s has digest %s".formatted(expected, actual), null);
        }
    }

    /// There are more or fewer bytes than were announced.
    public static final class SizeMismatch extends StorageException {
        public SizeMismatch(Object object, long expected, long actual) {
            super("%s has %d bytes, not %d".formatted(object, actual, expected), null);
        }
    }

    private static String reason(Throwable cause) {
        String message = cause.getMessage();
        return message == null ? cause.toString() : message;
    }
}
