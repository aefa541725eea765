package dev.gantry.runtime;

import dev.gantry.image.Images;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.KeyedLocks;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.RuntimeHandlers;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.Sandboxes;
import dev.gantry.shim.Bundle;
import dev.gantry.shim.Shims;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.Snapshotters;
import java.time.Clock;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;

/// What containers are made of and with; wired once by the daemon.
///
/// @param locks        one for each container
/// @param exits        records ends of containers; bounded, platform threads
/// @param steps        for what goes on beside a call; platform threads
/// @param bootId       of the running kernel
record ContainerParts(
        MetadataStore store,
        Sandboxes sandboxes,
        Images images,
        Snapshotters snapshotters,
        Shims shims,
        LiveContainers live,
        RuntimeHandlers handlers,
        PodCgroups podCgroups,
        Cgroups cgroups,
        ContainerSpecs specs,
        ContainerStreams streams,
        SandboxPlaces places,
        KeyedLocks locks,
        ExecutorService exits,
        Executor steps,
        Clock clock,
        String bootId) {

    Bundle bundle(String id) {
        return new Bundle(places.bundle(id));
    }
}
