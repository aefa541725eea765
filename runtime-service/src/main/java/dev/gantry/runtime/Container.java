package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.sandbox.SandboxId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A container as it is stored: what was asked for, what was made, and where it is in its life.
///
/// The request stays the CRI message: it is immutable, its contract is stable, and nothing below this module sees it.
///
/// @param imageId    the config digest of its image
/// @param imageRef   the image by name and digest, where it has a name
/// @param snapshotter holds the writable layer, whose key is the container's id
/// @param reason     why it ended (`Completed`, `Error`, `OOMKilled`, `StartError`, `Unknown`), empty before
/// @param pid        the first process, 0 before it exists
/// @param bootId     the boot in which it was started or made: what ran in another boot is gone
/// @param logPath    absolute, or empty when nothing is logged
/// @param stopSignal the number that a stop begins with
/// @param cgroupPath its place in the cgroup tree, below the root of each controller
/// @param images     what it has as volumes
record Container(
        String id,
        SandboxId sandbox,
        String reservedName,
        ContainerConfig config,
        String imageId,
        String imageRef,
        String snapshotter,
        ContainerState state,
        Instant created,
        Optional<Instant> started,
        Optional<Instant> finished,
        int exitCode,
        String reason,
        String message,
        int pid,
        String bootId,
        String logPath,
        ContainerUser user,
        LinuxContainerResources resources,
        int stopSignal,
        String cgroupPath,
        List<MountedImage> images) {

    Container {
        images = List.copyOf(images);
    }

    Container in(ContainerState next) {
        return with(next, started, finished, exitCode, reason, message, pid);
    }

    Container running(int firstPid, Instant at) {
        return with(ContainerState.RUNNING, Optional.of(at), Optional.empty(), 0, "", "", firstPid);
    }

    Container exited(int code, Instant at, String why, String details) {
        return with(ContainerState.EXITED, started, Optional.of(at), code, why, details, pid);
    }

    /// With other limits.
    Container limited(LinuxContainerResources limits) {
        return new Container(
                id,
                sandbox,
                reservedName,
                config,
                imageId,
                imageRef,
                snapshotter,
                state,
                created,
                started,
                finished,
                exitCode,
                reason,
                message,
                pid,
                bootId,
                logPath,
                user,
                limits,
                stopSignal,
                cgroupPath,
                images);
    }

    private Container with(
            ContainerState next,
            Optional<Instant> startedAt,
            Optional<Instant> finishedAt,
            int code,
            String why,
            String details,
            int firstPid) {
        return new Container(
                id,
                sandbox,
                reservedName,
                config,
                imageId,
                imageRef,
                snapshotter,
                next,
                created,
                startedAt,
                finishedAt,
                code,
                why,
                details,
                firstPid,
                bootId,
                logPath,
                user,
                resources,
                stopSignal,
                cgroupPath,
                images);
    }
}
