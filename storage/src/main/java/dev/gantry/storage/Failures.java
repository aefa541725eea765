package dev.gantry.storage;

import dev.gantry.linux.Errno;
import dev.gantry.linux.ErrnoException;
import java.io.IOException;

/// Tells a full disk from other failures of files, for those who write them.
final class Failures {

    private Failures() {}

    static StorageException of(String attempted, IOException e) {
        return saysFull(e) ? new StorageException.NoSpace(attempted, e) : new StorageException.Failed(attempted, e);
    }

    /// Whether a message has the C library's text for ENOSPC or EDQUOT. The JDK keeps the error number to itself, and
    /// RocksDB has a code for the first only.
    static boolean saysFull(Exception e) {
        String reason = String.valueOf(e.getMessage());
        return reason.contains("No space left on device") || reason.contains("Disk quota exceeded");
    }

    static StorageException of(String attempted, ErrnoException e) {
        return e.is(Errno.ENOSPC, Errno.EDQUOT)
                ? new StorageException.NoSpace(attempted, e)
                : new StorageException.Failed(attempted, e);
    }

    /// Does file work, whose failures become ours.
    static void guard(String attempted, Work work) {
        try {
            work.run();
        } catch (IOException e) {
            throw of(attempted, e);
        } catch (ErrnoException e) {
            throw of(attempted, e);
        }
    }

    /// Undoes after a failure; what goes wrong then is told along with it.
    static void undo(RuntimeException failure, Runnable undoing) {
        try {
            undoing.run();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }

    interface Work {
        void run() throws IOException;
    }
}
