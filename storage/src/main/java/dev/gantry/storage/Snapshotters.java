package dev.gantry.storage;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The snapshotters of a node by name; the first is the default one. Immutable.
public final class Snapshotters {

    private final Map<String, Snapshotter> byName = new LinkedHashMap<>();

    public Snapshotters(List<Snapshotter> snapshotters) {
        snapshotters.forEach(it -> byName.put(it.name(), it));
    }

    /// @throws StorageException.NotFound when there is none of that name
    public Snapshotter get(String name) {
        Snapshotter snapshotter = byName.get(name);
        if (snapshotter == null) {
            throw new StorageException.NotFound("snapshotter", name);
        }
        return snapshotter;
    }

    public List<Snapshotter> all() {
        return List.copyOf(byName.values());
    }

    public Set<String> names() {
        return Set.copyOf(byName.keySet());
    }
}
