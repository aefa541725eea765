package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;

/// Counts what a tree takes. Every directory on the way down holds a descriptor, so a tree that is
/// deeper than a thousand directories, which only malice makes, is counted down to there.
final class TreeUsage implements AutoCloseable {

    private static final int MAX_DEPTH = 1000;

    private final Arena arena = Arena.ofConfined();
    private final DirectoryEntries reader = new DirectoryEntries(arena);
    private final MemorySegment name = arena.allocate(256);
    private final MemorySegment statx = arena.allocate(FileStatus.STATX_SIZE, 8);
    private final OpenHow how = new OpenHow(arena);
    private final Deque<Level> levels = new ArrayDeque<>();
    private final Set<Long> linked = new HashSet<>();
    private final Path root;
    private final long most;
    private long bytes;
    private long inodes;

    private record Level(int fd, Iterator<DirectoryEntries.Entry> entries) {}

    /// @param most inodes after which counting is given up
    TreeUsage(Path root, long most) {
        this.root = root;
        this.most = most;
    }

    /// Empty when there are too many inodes.
    Optional<Usage> count() {
        long top = Kernel.tryOpen(arena, root, Kernel.O_RDONLY | Architecture.O_DIRECTORY | Architecture.O_NOFOLLOW, 0);
        if (Kernel.failed(top, Errno.ENOENT)) {
            return Optional.of(Usage.NONE);
        }
        Kernel.check(top, "measure", root);
        add(FileStatus.of((int) top, root));
        enter((int) top);
        while (!levels.isEmpty() && inodes <= most) {
            Level level = levels.getLast();
            if (level.entries().hasNext()) {
                count(level.fd(), level.entries().next());
            } else {
                levels.removeLast();
                Kernel.close(level.fd());
            }
        }
        return inodes > most ? Optional.empty() : Optional.of(new Usage(bytes, inodes));
    }

    private void count(int directory, DirectoryEntries.Entry entry) {
        byte[] text = entry.name();
        MemorySegment.copy(text, 0, name, JAVA_BYTE, 0, text.length);
        name.set(JAVA_BYTE, text.length, (byte) 0);
        Optional<FileStatus> found = FileStatus.at(directory, name, statx, root);
        if (found.isEmpty()) {
            return;
        }
        FileStatus status = found.get();
        if (!status.isDirectory()) {
            add(status);
            return;
        }
        long child = levels.size() >= MAX_DEPTH
                ? -Errno.ELOOP.value()
                : how.open(
                        directory,
                        name,
                        Kernel.O_RDONLY | Architecture.O_DIRECTORY | Architecture.O_NOFOLLOW,
                        OpenHow.NO_XDEV | OpenHow.NO_SYMLINKS);
        boolean elsewhere = Kernel.failed(child, Errno.EXDEV) || Kernel.failed(child, Errno.ENOENT);
        if (elsewhere) {
            return;
        }
        add(status);
        if (!Kernel.failed(child, Errno.ELOOP) && !Kernel.failed(child, Errno.ENOTDIR)) {
            enter((int) Kernel.check(child, "measure", root));
        }
    }

    private void enter(int fd) {
        Level level;
        try {
            level = new Level(fd, reader.read(fd, root).iterator());
        } catch (RuntimeException failure) {
            Kernel.close(fd);
            throw failure;
        }
        levels.addLast(level);
    }

    private void add(FileStatus status) {
        // Inode numbers are unique within a file system, and mounts are not entered.
        if (!status.isDirectory() && status.links() > 1 && !linked.add(status.inode())) {
            return;
        }
        bytes += status.blocks() * 512;
        inodes++;
    }

    @Override
    public void close() {
        levels.forEach(level -> Kernel.close(level.fd()));
        arena.close();
    }
}
