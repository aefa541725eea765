package dev.gantry.sandbox;

import dev.gantry.image.Images;
import dev.gantry.shim.Shims;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.Snapshotter;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.ExecutorService;

/// What pod sandboxes are made of and with; wired once by the daemon.
///
/// @param snapshotters by name
/// @param steps        runs what can go on beside the calling thread; bounded, platform threads
/// @param bootId       of the running kernel
public record SandboxParts(
        MetadataStore store,
        Images images,
        PauseImage pauseImage,
        Map<String, Snapshotter> snapshotters,
        SandboxNetworks networks,
        Shims shims,
        PodShims podShims,
        RuntimeHandlers handlers,
        PodCgroups cgroups,
        SandboxSpec specs,
        SandboxPlaces places,
        ExecutorService steps,
        Clock clock,
        String bootId) {}
