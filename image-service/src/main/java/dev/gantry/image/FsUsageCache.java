package dev.gantry.image;

import dev.gantry.linux.Usage;
import dev.gantry.storage.Blob;
import dev.gantry.storage.ContentStore;
import dev.gantry.storage.LayerUsages;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.SnapshotInfo;
import dev.gantry.storage.SnapshotState;
import dev.gantry.storage.Snapshotter;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Sums up what images and containers take. The kubelet asks every ten seconds, so the sum is kept for a while.
final class FsUsageCache {

    private static final Duration FRESH = Duration.ofSeconds(10);

    private final MetadataStore store;
    private final List<Snapshotter> snapshotters;
    private final LayerUsages layers;
    private final InstantSource clock;
    private volatile @Nullable FsUsage latest;

    FsUsageCache(MetadataStore store, List<Snapshotter> snapshotters, LayerUsages layers, InstantSource clock) {
        this.store = store;
        this.snapshotters = snapshotters;
        this.layers = layers;
        this.clock = clock;
    }

    FsUsage get() {
        FsUsage known = latest;
        if (known == null || !known.at().plus(FRESH).isAfter(clock.instant())) {
            known = count();
            latest = known;
        }
        return known;
    }

    private FsUsage count() {
        long imageBytes = store.view().all(ContentStore.KIND).stream()
                .mapToLong(Blob::size)
                .sum();
        Usage images = Usage.NONE;
        Usage containers = Usage.NONE;
        for (Snapshotter snapshotter : snapshotters) {
            for (SnapshotInfo snapshot : snapshotter.list()) {
                if (snapshot.state() == SnapshotState.COMMITTED) {
                    images = images.plus(snapshot.usage());
                } else if (snapshot.state() == SnapshotState.ACTIVE) {
                    containers = containers.plus(layers.of(snapshotter, snapshot.key())
                            .map(LayerUsages.Counted::usage)
                            .orElse(Usage.NONE));
                }
            }
        }
        return new FsUsage(
                snapshotters.getFirst().root(),
                imageBytes + images.bytes(),
                images.inodes(),
                containers.bytes(),
                containers.inodes(),
                clock.instant());
    }
}
