package dev.gantry.storage;

import dev.gantry.linux.Usage;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// What is known of a snapshot without looking at its files.
///
/// @param key the name it was given: unique within the snapshotter, committed ones included
/// @param parent the committed snapshot below it
/// @param usage of a committed snapshot, its own layer alone; of others nothing (see [Snapshotter#usage])
public record SnapshotInfo(
        String snapshotter,
        String key,
        Optional<String> parent,
        SnapshotState state,
        Instant created,
        Map<String, String> labels,
        Usage usage) {

    public SnapshotInfo {
        labels = Map.copyOf(labels);
    }
}
