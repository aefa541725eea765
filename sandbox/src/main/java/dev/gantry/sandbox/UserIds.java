package dev.gantry.sandbox;

import dev.gantry.linux.IdMapping;

/// Which ids of the host stand for those of a pod that has a user namespace of its own.
public record UserIds(IdMapping users, IdMapping groups) {

    public UserIds {
        if (users.container() != 0 || groups.container() != 0) {
            throw new SandboxException.InvalidRequest(
                    "the mappings of a pod's user namespace must begin with its root, id 0, not with user %d and group %d"
                            .formatted(users.container(), groups.container()));
        }
    }

    /// The host's user that is the pod's root.
    public long rootUser() {
        return users.host();
    }

    public long rootGroup() {
        return groups.host();
    }
}
