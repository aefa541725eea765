package dev.gantry.linux;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/// Files of /proc, /sys and cgroups: read and written whole, each in one call, failing with the errno.
final class KernelFile {

    private KernelFile() {}

    /// Empty when the file is not there, or what it tells of has gone meanwhile.
    static Optional<String> read(Path file) {
        try (Fd fd = new Fd(Kernel.open(file, Kernel.O_RDONLY, 0), file)) {
            ByteBuffer bytes = ByteBuffer.allocate(4096);
            while (fd.read(bytes) > 0) {
                if (!bytes.hasRemaining()) {
                    bytes = ByteBuffer.allocate(bytes.capacity() * 4).put(bytes.flip());
                }
            }
            return Optional.of(new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ESRCH, Errno.ENODEV)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Empty when the file is not there, or what it tells of has gone meanwhile.
    static Optional<Fd> open(Path file) {
        try {
            return Optional.of(new Fd(Kernel.open(file, Kernel.O_RDONLY, 0), file));
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ENODEV)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    static void write(Path file, String value) {
        try (Fd fd = new Fd(Kernel.open(file, Kernel.O_WRONLY, 0), file)) {
            fd.write(ByteBuffer.wrap(value.getBytes(StandardCharsets.UTF_8)));
        } catch (ErrnoException e) {
            throw new ErrnoException("cannot write " + value.strip() + " to " + file, e.value());
        }
    }
}
