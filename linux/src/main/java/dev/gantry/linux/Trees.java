package dev.gantry.linux;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Optional;

/// Whole directory trees.
public final class Trees {

    private Trees() {}

    /// Removes a tree, or a single file; absent is well. Links are removed, not followed. A mount below
    /// is an error (EXDEV) and what it shows stays: unmount first.
    public static void delete(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        if (parent == null) {
            throw new IllegalArgumentException("refusing to remove " + path);
        }
        try (Arena arena = Arena.ofConfined();
                TreeRemoval removal = new TreeRemoval(path)) {
            long directory = Kernel.tryOpen(arena, parent, Kernel.O_PATH | Architecture.O_DIRECTORY, 0);
            if (Kernel.failed(directory, Errno.ENOENT)) {
                return;
            }
            Kernel.check(directory, "open", parent);
            try {
                removal.remove((int) directory, Kernel.string(arena, String.valueOf(absolute.getFileName())));
            } finally {
                Kernel.close((int) directory);
            }
        }
    }

    /// What the tree takes, mounts below it left out. What changes meanwhile is counted or not.
    public static Usage usage(Path root) {
        return usage(root, Long.MAX_VALUE).orElseThrow();
    }

    /// As [#usage(Path)], for those who cannot wait: empty when the tree has more than `most` inodes.
    public static Optional<Usage> usage(Path root, long most) {
        try (TreeUsage usage = new TreeUsage(root, most)) {
            return usage.count();
        }
    }
}
