package dev.gantry.runtime;

import dev.gantry.linux.MountInfo;
import java.nio.file.Path;
import java.util.List;

/// How mounts of the host propagate (mount_namespaces(7)).
final class PeerGroups {

    private final List<MountInfo> mounts;

    PeerGroups(List<MountInfo> mounts) {
        this.mounts = List.copyOf(mounts);
    }

    /// Whether mounts below the path reach all its peers, and theirs reach it.
    boolean isShared(Path path) {
        return isTagged(path, "shared:");
    }

    /// Whether mounts of a master reach it.
    boolean isSlave(Path path) {
        return isTagged(path, "master:");
    }

    private boolean isTagged(Path path, String prefix) {
        return holder(path).tags().stream().anyMatch(it -> it.startsWith(prefix));
    }

    /// The mount that the path lies on: the deepest, and of those on one point the last made.
    private MountInfo holder(Path path) {
        MountInfo holder = null;
        for (MountInfo mount : mounts) {
            boolean deeper = holder == null
                    || mount.target().getNameCount() >= holder.target().getNameCount();
            if (path.startsWith(mount.target()) && deeper) {
                holder = mount;
            }
        }
        if (holder == null) {
            throw new ContainerException.InvalidRequest("host path %s lies on no mount of the daemon".formatted(path));
        }
        return holder;
    }
}
