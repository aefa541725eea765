package dev.gantry.runtime;

import java.util.List;

/// The user that a container's first process runs as, in numbers of the container.
record ContainerUser(long uid, long gid, List<Long> groups) {

    ContainerUser {
        groups = List.copyOf(groups);
    }
}
