package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What file systems are, and bringing their contents to the disk.
public final class FileSystems {

    private static final int STATFS_SIZE = 120;

    private FileSystems() {}

    /// A file system's numbers: `type` is its magic number (statfs(2)), the block counts are in units
    /// of `blockSize` bytes, `available` is what is free for users other than root.
    public record StatFs(
            long type, long blockSize, long blocks, long free, long available, long files, long freeFiles) {

        public static final long OVERLAY = 0x794c7630L;
        public static final long CGROUP2 = 0x63677270L;
        public static final long TMPFS = 0x01021994L;

        public long totalBytes() {
            return blocks * blockSize;
        }

        public long freeBytes() {
            return free * blockSize;
        }

        public long usedBytes() {
            return (blocks - free) * blockSize;
        }

        public long usedFiles() {
            return files - freeFiles;
        }
    }

    public static StatFs statfs(Path path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(STATFS_SIZE, 8);
            long result =
                    Kernel.call(SystemCall.STATFS, Kernel.string(arena, path).address(), buffer.address());
            Kernel.check(result, "read the file system of", path);
            return new StatFs(
                    buffer.get(JAVA_LONG, 0),
                    buffer.get(JAVA_LONG, 8),
                    buffer.get(JAVA_LONG, 16),
                    buffer.get(JAVA_LONG, 24),
                    buffer.get(JAVA_LONG, 32),
                    buffer.get(JAVA_LONG, 40),
                    buffer.get(JAVA_LONG, 48));
        }
    }

    /// When it returns, the directory's entries (new, renamed, removed) are on the disk.
    public static void syncDirectory(Path directory) {
        sync(directory, Architecture.O_DIRECTORY, SystemCall.FSYNC);
    }

    /// When it returns, the file's bytes and length are on the disk; its name needs [#syncDirectory].
    public static void syncFile(Path file) {
        sync(file, 0, SystemCall.FSYNC);
    }

    /// When it returns, everything written to the file system that holds `path` is on the disk.
    public static void syncAll(Path path) {
        sync(path, 0, SystemCall.SYNCFS);
    }

    private static void sync(Path path, int flags, SystemCall call) {
        int fd = Kernel.open(path, Kernel.O_RDONLY | flags, 0);
        try {
            Kernel.check(Kernel.call(call, fd), "sync", path);
        } finally {
            Kernel.close(fd);
        }
    }

    /// Whether overlay works with its writable layer in this directory, found out by trying.
    public static boolean supportsOverlay(Path directory) {
        Path trial = null;
        try {
            trial = Files.createTempDirectory(directory, ".overlay-trial-");
            for (String part : List.of("lower", "upper", "work", "merged")) {
                Files.createDirectory(trial.resolve(part));
            }
            Path merged = trial.resolve("merged");
            String options = "lowerdir=%1$s/lower,upperdir=%1$s/upper,workdir=%1$s/work".formatted(trial);
            Mounts.mount(new Mount("overlay", "overlay", Path.of(""), List.of(options.split(",", -1))), merged);
            Mounts.unmount(merged);
            return true;
        } catch (ErrnoException e) {
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot try overlay in " + directory, e);
        } finally {
            if (trial != null) {
                Trees.delete(trial);
            }
        }
    }
}
