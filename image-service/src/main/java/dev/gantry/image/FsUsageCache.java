package dev.gantry.image;

import dev.gantry.linux.Usage;
import dev.gantry.storage.Blob;
import dev.gantry.storage.ContentStore;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.SnapshotInfo;
import dev.gantry.storage.SnapshotState;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.StorageException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Counts what images and containers take. The kubelet asks every ten seconds, and counting walks the writable layers
/// of all containers; so the answer is kept for a while, and who comes while one counts gets the old one.
final class FsUsageCache {

    private static final Duration FRESH = Duration.ofSeconds(15);

    private final MetadataStore store;
    private final List<Snapshotter> snapshotters;
    private final InstantSource clock;
    private final ReentrantLock counting = new ReentrantLock();
    private volatile @Nullable FsUsage latest;

    FsUsageCache(MetadataStore store, List<Snapshotter> snapshotters, InstantSource clock) {
        this.store = store;
        this.snapshotters = snapshotters;
        this.clock = clock;
    }

    FsUsage get() {
        FsUsage known = latest;
        if (known != null) {
            if (known.at().plus(FRESH).isAfter(clock.instant()) || !counting.tryLock()) {
                return known;
            }
        } else {
            counting.lock();
        }
        try {
            FsUsage counted = count();
            latest = counted;
            return counted;
        } finally {
            counting.unlock();
        }
    }

    private FsUsage count() {
        long imageBytes = store.view().all(ContentStore.KIND).stream()
                .mapToLong(Blob::size)
                .sum();
        long imageInodes = 0;
        long containerBytes = 0;
        long containerInodes = 0;
        for (Snapshotter snapshotter : snapshotters) {
            for (SnapshotInfo snapshot : snapshotter.list()) {
                if (snapshot.state() == SnapshotState.COMMITTED) {
                    imageBytes += snapshot.usage().bytes();
                    imageInodes += snapshot.usage().inodes();
                } else if (snapshot.state() == SnapshotState.ACTIVE) {
                    Usage usage = usage(snapshotter, snapshot);
                    containerBytes += usage.bytes();
                    containerInodes += usage.inodes();
                }
            }
        }
        return new FsUsage(
                snapshotters.getFirst().root(),
                imageBytes,
                imageInodes,
                containerBytes,
                containerInodes,
                clock.instant());
    }

    private static Usage usage(Snapshotter snapshotter, SnapshotInfo snapshot) {
        try {
            return snapshotter.usage(snapshot.key());
        } catch (StorageException.NotFound _) {
            return snapshot.usage(); // removed meanwhile
        }
    }
}
