package dev.gantry.image;

import java.time.Instant;
import java.util.Map;

/// One member of a layer: a file, or what stands for one. Names are as in the archive, not yet checked.
///
/// @param link the target of a symbolic link, or the name of the file that a hard link is another name of
/// @param size of the content that follows, in bytes
record TarEntry(
        Type type,
        String name,
        String link,
        int mode,
        int uid,
        int gid,
        long size,
        Instant accessed,
        Instant modified,
        int major,
        int minor,
        Map<String, byte[]> attributes) {

    enum Type {
        FILE,
        HARD_LINK,
        SYMLINK,
        CHARACTER_DEVICE,
        BLOCK_DEVICE,
        DIRECTORY,
        FIFO
    }

    TarEntry {
        attributes = Map.copyOf(attributes);
    }
}
