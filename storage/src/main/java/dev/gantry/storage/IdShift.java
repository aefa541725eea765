package dev.gantry.storage;

import dev.gantry.linux.IdMapping;
import java.nio.file.Path;

/// How a pod with a user namespace of its own sees snapshots: who is root in the pod owns what the image's root owns.
///
/// @param root where the snapshotter's root is mounted once more, its ids shifted by the same mappings
public record IdShift(Path root, IdMapping users, IdMapping groups) {

    /// The host's id for an image's; ids that the pod does not have become its root's, as somebody must own the file.
    static long shift(IdMapping mapping, long id) {
        return mapping.toHost(mapping.contains(id) ? id : mapping.container());
    }
}
