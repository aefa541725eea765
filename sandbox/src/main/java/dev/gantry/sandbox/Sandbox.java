package dev.gantry.sandbox;

import java.time.Instant;
import java.util.List;

/// A pod sandbox as it is stored: what was asked for, what was made, and where it is in its life.
///
/// @param cgroupParent the cgroup (or slice) that holds the pod's containers
/// @param ownsCgroup   whether we made that cgroup, so that we may limit it and must remove it
/// @param bootId       the boot in which it was made: processes and namespaces of another boot are gone
/// @param pid          the pause process, 0 before it exists
/// @param ips          the pod's addresses, the primary one first; empty in the host's network
/// @param snapshotter  holds the pause container's snapshot, whose key is the sandbox's id
/// @param pauseImage   the image id of the pause container
/// @param label        what its processes have for SELinux, in full; empty for none
public record Sandbox(
        SandboxId id,
        SandboxConfig config,
        String handler,
        SandboxState state,
        Instant created,
        String cgroupParent,
        boolean ownsCgroup,
        String bootId,
        int pid,
        List<String> ips,
        String snapshotter,
        String pauseImage,
        SelinuxLabel label) {

    public Sandbox {
        ips = List.copyOf(ips);
    }

    public Sandbox in(SandboxState next) {
        return new Sandbox(
                id,
                config,
                handler,
                next,
                created,
                cgroupParent,
                ownsCgroup,
                bootId,
                pid,
                ips,
                snapshotter,
                pauseImage,
                label);
    }

    Sandbox configured(SandboxConfig next) {
        return new Sandbox(
                id,
                next,
                handler,
                state,
                created,
                cgroupParent,
                ownsCgroup,
                bootId,
                pid,
                ips,
                snapshotter,
                pauseImage,
                label);
    }

    Sandbox labelled(SelinuxLabel chosen) {
        return new Sandbox(
                id,
                config,
                handler,
                state,
                created,
                cgroupParent,
                ownsCgroup,
                bootId,
                pid,
                ips,
                snapshotter,
                pauseImage,
                chosen);
    }

    Sandbox ready(int pausePid, List<String> addresses) {
        return new Sandbox(
                id,
                config,
                handler,
                SandboxState.READY,
                created,
                cgroupParent,
                ownsCgroup,
                bootId,
                pausePid,
                addresses,
                snapshotter,
                pauseImage,
                label);
    }
}
