package dev.gantry.linux;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/// A lock that one process on this machine holds at a time, by a file with its holder's pid inside.
///
/// The kernel lets go of it when the holder ends, however it ends. The file stays.
public final class LockFile implements AutoCloseable {

    private static final int EXCLUSIVE_AT_ONCE = 2 | 4;

    private final Fd fd;

    private LockFile(Fd fd) {
        this.fd = fd;
    }

    /// Takes the lock; empty when another holds it, in this process or another.
    public static Optional<LockFile> tryLock(Path path) {
        int flags = Kernel.O_RDWR | Kernel.O_CREAT | Architecture.O_NOFOLLOW;
        Fd fd = new Fd(Kernel.open(path, flags, 0600), path);
        try {
            long result = Kernel.call(SystemCall.FLOCK, fd.value(), EXCLUSIVE_AT_ONCE);
            if (Kernel.failed(result, Errno.EAGAIN)) {
                fd.close();
                return Optional.empty();
            }
            Kernel.check(result, "lock", path);
            Kernel.check(Kernel.call(SystemCall.FTRUNCATE, fd.value(), 0), "write to", path);
            byte[] pid = (HostFacts.pid() + "\n").getBytes(StandardCharsets.US_ASCII);
            fd.write(pid, 0, pid.length);
            return Optional.of(new LockFile(fd));
        } catch (RuntimeException failure) {
            fd.close();
            throw failure;
        }
    }

    /// The pid written by whoever holds the lock, or held it last.
    public static Optional<Integer> holder(Path path) {
        return KernelFile.read(path)
                .map(String::strip)
                .filter(text -> text.matches("[0-9]{1,9}"))
                .map(Integer::valueOf);
    }

    @Override
    public void close() {
        fd.close();
    }
}
