package dev.gantry.sandbox;

import dev.gantry.linux.PidFd;
import dev.gantry.shim.Shim;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The shims of pods that run now, by sandbox, each with a hold on the pause process. Thread-safe.
public final class PodShims {

    /// @param pause empty when it has ended and only containers of the pod are left in the shim
    private record Entry(Shim shim, Optional<PidFd> pause) {}

    private final ConcurrentHashMap<SandboxId, Entry> entries = new ConcurrentHashMap<>();

    public Optional<Shim> find(SandboxId id) {
        return Optional.ofNullable(entries.get(id)).map(Entry::shim);
    }

    void put(SandboxId id, Shim shim, Optional<PidFd> pause) {
        close(entries.put(id, new Entry(shim, pause)));
    }

    /// Signals the pause process itself, which spares the shim the start of a runc. A pid could have been given to
    /// another process; what the hold stands for cannot.
    void kill(SandboxId id, int signal) {
        Optional.ofNullable(entries.get(id)).flatMap(Entry::pause).ifPresent(it -> it.signal(signal));
    }

    void remove(SandboxId id) {
        close(entries.remove(id));
    }

    private static void close(@Nullable Entry entry) {
        if (entry != null) {
            entry.pause().ifPresent(PidFd::close);
        }
    }
}
