package dev.gantry.sandbox;

import dev.gantry.storage.IdShift;
import java.nio.file.Path;
import java.util.Optional;

/// Where sandboxes keep their files.
///
/// @param root  survives a reboot
/// @param state need not survive one
/// @param netns holds the pins of network namespaces
public record SandboxPlaces(Path root, Path state, Path netns) {

    /// The bundle of a sandbox or container: its last name is the id, which some shims rely on.
    public Path bundle(String id) {
        return state.resolve("tasks").resolve(id);
    }

    /// The pin of a pod's network namespace.
    public Path networkNamespace(SandboxId id) {
        return netns.resolve(id.value());
    }

    public PodFiles files(SandboxId id) {
        return new PodFiles(root, state, id);
    }

    /// How the pod sees snapshots; empty for one whose users are the host's.
    public Optional<IdShift> idShift(Sandbox sandbox) {
        return sandbox.config()
                .namespaces()
                .users()
                .map(it -> new IdShift(files(sandbox.id()).layers(), it.users(), it.groups()));
    }
}
