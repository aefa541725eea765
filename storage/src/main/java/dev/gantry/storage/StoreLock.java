package dev.gantry.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// Says that this process uses the store's directory; the holder's process id stands in the file.
final class StoreLock implements AutoCloseable {

    private final FileChannel file;

    private StoreLock(FileChannel file) {
        this.file = file;
    }

    static StoreLock take(Path directory) {
        Path path = directory.resolve("holder");
        try {
            FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (tryLock(file) == null) {
                String pid = Files.readString(path).strip();
                throw new StorageException.Locked(directory, "process " + pid);
            }
            file.truncate(0);
            file.write(
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.UTF_8)));
            return new StoreLock(file);
        } catch (IOException e) {
            throw new StorageException.Failed("lock store " + directory, e);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException _) {
            return null;
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new StorageException.Failed("unlock store", e);
        }
    }
}
