package dev.gantry.sandbox;

import dev.gantry.image.Images;
import dev.gantry.linux.UserNamespaces;
import dev.gantry.shim.Shims;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.Snapshotters;
import java.time.Clock;
import java.util.concurrent.ExecutorService;

/// What pod sandboxes are made of and with; wired once by the daemon.
///
/// @param steps  runs what can go on beside the calling thread; bounded, platform threads
/// @param bootId of the running kernel
public record SandboxParts(
        MetadataStore store,
        Images images,
        PauseImage pauseImage,
        Snapshotters snapshotters,
        SandboxNetworks networks,
        Shims shims,
        PodShims podShims,
        RuntimeHandlers handlers,
        HandlerFeatures features,
        UserNamespaces userNamespaces,
        PodCgroups cgroups,
        SandboxSpec specs,
        SandboxPlaces places,
        ExecutorService steps,
        Clock clock,
        String bootId) {}
