package dev.gantry.sandbox;

import dev.gantry.shim.Shim;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// The connections to the shims of pods that run now, by sandbox. Thread-safe.
public final class PodShims {

    private final ConcurrentHashMap<SandboxId, Shim> shims = new ConcurrentHashMap<>();

    public Optional<Shim> find(SandboxId id) {
        return Optional.ofNullable(shims.get(id));
    }

    void put(SandboxId id, Shim shim) {
        shims.put(id, shim);
    }

    void remove(SandboxId id) {
        shims.remove(id);
    }
}
