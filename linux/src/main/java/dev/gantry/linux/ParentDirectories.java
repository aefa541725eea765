package dev.gantry.linux;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;

/// The descriptors of the directories used last within one root, by the path they were asked for.
///
/// Files come in the order of a walk, so that nearly every one finds its directory here and costs no
/// resolving. A descriptor stays right until an entry is removed or replaced: then all are forgotten.
final class ParentDirectories {

    private static final int KEPT = 16;

    private final int root;
    private final OpenHow how;
    private final BiFunction<String, Object, MemorySegment> encode;
    private final Map<String, Integer> kept = new LinkedHashMap<>(KEPT, 0.75f, true);

    /// @param encode puts a path where the kernel can read it
    ParentDirectories(int root, OpenHow how, BiFunction<String, Object, MemorySegment> encode) {
        this.root = root;
        this.how = how;
        this.encode = encode;
    }

    /// The directory's descriptor, or the negative error number. Not the caller's to close.
    long find(String directory, Object name) {
        if (directory.isEmpty()) {
            return root;
        }
        Integer known = kept.get(directory);
        if (known != null) {
            return known;
        }
        long fd = how.open(
                root,
                encode.apply(directory, name),
                Kernel.O_PATH | Architecture.O_DIRECTORY,
                OpenHow.IN_ROOT | OpenHow.NO_MAGICLINKS);
        if (fd >= 0) {
            keep(directory, (int) fd);
        }
        return fd;
    }

    void forget() {
        kept.values().forEach(Kernel::close);
        kept.clear();
    }

    private void keep(String directory, int fd) {
        if (kept.size() >= KEPT) {
            Map.Entry<String, Integer> eldest = kept.entrySet().iterator().next();
            Kernel.close(eldest.getValue());
            kept.remove(eldest.getKey());
        }
        kept.put(directory, fd);
    }
}
