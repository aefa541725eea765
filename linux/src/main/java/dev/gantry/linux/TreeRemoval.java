package dev.gantry.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Removes a tree by descriptors: no link is followed, no mount is entered, and a tree of any depth
/// takes a bounded number of descriptors and stack frames.
final class TreeRemoval implements AutoCloseable {

    // Deeper directories are moved up to the top of the tree first, and removed from there.
    private static final int MAX_DEPTH = 100;

    private final Arena arena = Arena.ofConfined();
    private final DirectoryEntries entries = new DirectoryEntries(arena);
    private final MemorySegment name = arena.allocate(256);
    private final MemorySegment second = arena.allocate(64);
    private final OpenHow how = new OpenHow(arena);
    private final Object what;
    private int moved;

    /// @param what the tree as messages name it
    TreeRemoval(Object what) {
        this.what = what;
    }

    /// Removes `entry` of the directory `parent`, with all below when it is a directory; absent is well.
    void remove(int parent, MemorySegment entry) {
        long result = Kernel.call(SystemCall.UNLINKAT, parent, entry.address(), 0);
        if (Kernel.failed(result, Errno.EISDIR)) {
            empty(parent, entry);
            result = Kernel.call(SystemCall.UNLINKAT, parent, entry.address(), Kernel.AT_REMOVEDIR);
        }
        if (!Kernel.failed(result, Errno.ENOENT)) {
            Kernel.check(result, "remove", what);
        }
    }

    /// Round by round, each on a descriptor of its own, whose listing begins at the beginning.
    private void empty(int parent, MemorySegment entry) {
        int before;
        do {
            before = moved;
            int top = openDirectory(parent, entry);
            if (top < 0) {
                return;
            }
            try {
                clear(top, top, 1);
            } finally {
                Kernel.close(top);
            }
        } while (moved != before);
    }

    /// Removes what is in `directory`. What was moved up to `top` is left to the next round.
    private void clear(int top, int directory, int depth) {
        for (DirectoryEntries.Entry entry : entries.read(directory, what)) {
            if (!entry.directory()) {
                set(entry);
                long result = Kernel.call(SystemCall.UNLINKAT, directory, name.address(), 0);
                if (!Kernel.failed(result, Errno.EISDIR)) {
                    checkGone(result);
                    continue;
                }
            }
            if (depth >= MAX_DEPTH) {
                moveUp(top, directory, entry);
                continue;
            }
            set(entry);
            int child = openDirectory(directory, name);
            if (child < 0) {
                continue;
            }
            try {
                clear(top, child, depth + 1);
            } finally {
                Kernel.close(child);
            }
            set(entry);
            checkGone(Kernel.call(SystemCall.UNLINKAT, directory, name.address(), Kernel.AT_REMOVEDIR));
        }
    }

    private void moveUp(int top, int directory, DirectoryEntries.Entry entry) {
        set(entry);
        long result;
        do {
            second.setString(0, ".removed-" + moved++);
            result = Kernel.call(SystemCall.RENAMEAT2, directory, name.address(), top, second.address(), 1);
        } while (Kernel.failed(result, Errno.EEXIST));
        checkGone(result);
    }

    private int openDirectory(int parent, MemorySegment entry) {
        long fd = how.open(
                parent,
                entry,
                Kernel.O_RDONLY | Architecture.O_DIRECTORY | Architecture.O_NOFOLLOW,
                OpenHow.NO_XDEV | OpenHow.NO_SYMLINKS);
        if (Kernel.failed(fd, Errno.ENOENT)) {
            return -1;
        }
        if (Kernel.failed(fd, Errno.EXDEV)) {
            throw Kernel.failure(fd, "remove", what + ", something is mounted below it");
        }
        return (int) Kernel.check(fd, "remove", what);
    }

    private void checkGone(long result) {
        if (!Kernel.failed(result, Errno.ENOENT)) {
            Kernel.check(result, "remove", what);
        }
    }

    private void set(DirectoryEntries.Entry entry) {
        byte[] bytes = entry.name();
        MemorySegment.copy(bytes, 0, name, JAVA_BYTE, 0, bytes.length);
        name.set(JAVA_BYTE, bytes.length, (byte) 0);
    }

    @Override
    public void close() {
        arena.close();
    }
}
