package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/// What the kernel says about one file, links not followed.
///
/// @param mode the permission bits, 07777
/// @param size in bytes, as the file claims
/// @param blocks 512-byte blocks on the disk
/// @param device the number of the file system, encoded as in [#device(int, int)]
/// @param special the number of the device that a device node stands for, 0 for others
public record FileStatus(
        Type type,
        int mode,
        int uid,
        int gid,
        long links,
        long size,
        long blocks,
        long inode,
        long device,
        long special,
        Instant modified) {

    /// The kinds of file.
    public enum Type {
        REGULAR(0100000),
        DIRECTORY(0040000),
        SYMLINK(0120000),
        FIFO(0010000),
        CHARACTER_DEVICE(0020000),
        BLOCK_DEVICE(0060000),
        SOCKET(0140000);

        private final int bits;

        Type(int bits) {
            this.bits = bits;
        }

        /// The bits of st_mode that tell this type.
        public int bits() {
            return bits;
        }

        static Type of(int mode) {
            for (Type type : values()) {
                if (type.bits == (mode & 0170000)) {
                    return type;
                }
            }
            throw new IllegalArgumentException("unknown file type in mode " + Integer.toOctalString(mode));
        }
    }

    // struct statx; the same on every architecture.
    static final int STATX_SIZE = 256;
    private static final int STATX_BASIC_STATS = 0x7ff;

    public boolean isDirectory() {
        return type == Type.DIRECTORY;
    }

    public boolean isRegular() {
        return type == Type.REGULAR;
    }

    public boolean isSymlink() {
        return type == Type.SYMLINK;
    }

    /// A device number as mknod(2) wants it: 12 bits of major, 20 of minor, the minor split in two.
    public static long device(int major, int minor) {
        return (minor & 0xffL)
                | ((major & 0xfffL) << 8)
                | ((minor & ~0xffL & 0xffffffffL) << 12)
                | ((major & ~0xfffL & 0xffffffffL) << 32);
    }

    /// How many names a file has, or a directory with those in it that are directories; 0 when it is not there.
    static long links(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(STATX_SIZE, 8);
            return at(Kernel.AT_FDCWD, Kernel.string(arena, path), buffer, path)
                    .map(FileStatus::links)
                    .orElse(0L);
        }
    }

    static FileStatus of(int fd, Object name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(STATX_SIZE, 8);
            MemorySegment empty = arena.allocate(1);
            Kernel.check(statx(fd, empty, Kernel.AT_EMPTY_PATH, buffer), "read status of", name);
            return read(buffer);
        }
    }

    static Optional<FileStatus> at(int directory, MemorySegment path, MemorySegment buffer, Object name) {
        long result = statx(directory, path, Kernel.AT_SYMLINK_NOFOLLOW, buffer);
        if (Kernel.failed(result, Errno.ENOENT)) {
            return Optional.empty();
        }
        Kernel.check(result, "read status of", name);
        return Optional.of(read(buffer));
    }

    static long statx(int directory, MemorySegment path, int flags, MemorySegment buffer) {
        return Kernel.call(SystemCall.STATX, directory, path.address(), flags, STATX_BASIC_STATS, buffer.address());
    }

    static FileStatus read(MemorySegment statx) {
        int mode = Short.toUnsignedInt(statx.get(JAVA_SHORT, 28));
        return new FileStatus(
                Type.of(mode),
                mode & 07777,
                statx.get(JAVA_INT, 20),
                statx.get(JAVA_INT, 24),
                Integer.toUnsignedLong(statx.get(JAVA_INT, 16)),
                statx.get(JAVA_LONG, 40),
                statx.get(JAVA_LONG, 48),
                statx.get(JAVA_LONG, 32),
                device(statx.get(JAVA_INT, 136), statx.get(JAVA_INT, 140)),
                device(statx.get(JAVA_INT, 128), statx.get(JAVA_INT, 132)),
                Instant.ofEpochSecond(statx.get(JAVA_LONG, 112), statx.get(JAVA_INT, 120)));
    }
}
