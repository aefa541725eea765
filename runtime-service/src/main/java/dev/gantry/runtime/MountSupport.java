package dev.gantry.runtime;

/// What the OCI runtime of a pod can do with mounts, by its own word.
///
/// @param recursiveReadOnly whether a mount and all below it can be made read-only
/// @param idMapped whether a mount can show its files with other owners
/// @param writableCgroup whether the container's own cgroup may be divided by it
record MountSupport(boolean recursiveReadOnly, boolean idMapped, boolean writableCgroup) {

    static final MountSupport NONE = new MountSupport(false, false, false);
}
