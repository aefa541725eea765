package dev.gantry.storage;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.LockFile;
import java.nio.file.Path;

/// Takes the lock of a store's directory, or says who has it.
final class StoreLock {

    private StoreLock() {}

    static LockFile take(Path directory) {
        Path file = directory.resolve("holder");
        try {
            return LockFile.tryLock(file).orElseThrow(() -> new StorageException.Locked(directory, holder(file)));
        } catch (ErrnoException e) {
            throw Failures.of("lock store " + directory, e);
        }
    }

    private static String holder(Path file) {
        return LockFile.holder(file).map(pid -> "process " + pid).orElse("another process");
    }
}
