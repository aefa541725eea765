package dev.gantry.storage;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.Trees;
import dev.gantry.linux.Usage;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What writable layers take on the disk, without making anybody wait for it.
///
/// The kernel keeps no such figure, so the layer must be walked. Callers get the latest one and its age; what is asked
/// for and older than ten seconds is walked again in the background, by one thread that works a twentieth of the time
/// at most, so a layer of a million files costs no more than a small one, but is counted more rarely. Only a layer that
/// was never counted is walked at once, and only if it is small. Thread-safe.
public final class LayerUsages implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LayerUsages.class);

    private static final Duration FRESH = Duration.ofSeconds(10);
    private static final Duration IDLE = Duration.ofSeconds(30);
    /// Inodes that can be counted in about a millisecond.
    private static final long SMALL = 500;
    /// How long nothing is walked at once after a layer that was not small.
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    /// The share of its time that the thread rests.
    private static final int REST = 19;

    private final InstantSource clock;
    private final ConcurrentHashMap<Key, Entry> entries = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor walker = new ThreadPoolExecutor(
            1,
            1,
            IDLE.toSeconds(),
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            Thread.ofPlatform().name("layer-usage").daemon(true).factory(),
            new ThreadPoolExecutor.DiscardPolicy()); // once closed

    /// When a layer turned out not to be small.
    private volatile Instant lastLarge = Instant.MIN;

    /// At how many entries to look for those that can be forgotten.
    private volatile int pruneAt = 64;

    public LayerUsages(InstantSource clock) {
        this.clock = clock;
        walker.allowCoreThreadTimeOut(true);
    }

    /// @param at when it was counted
    public record Counted(Usage usage, Instant at) {}

    private record Key(String snapshotter, String key) {}

    private static final class Entry {
        private final AtomicBoolean queued = new AtomicBoolean();
        private volatile @Nullable Counted latest;
    }

    /// The latest figure of an active snapshot; empty when there is none, or its first count is still under way.
    public Optional<Counted> of(Snapshotter snapshotter, String key) {
        Key id = new Key(snapshotter.name(), key);
        Entry entry = entries.get(id);
        if (entry == null) {
            if (snapshotter
                    .find(key)
                    .filter(it -> it.state() == SnapshotState.ACTIVE)
                    .isEmpty()) {
                return Optional.empty();
            }
            prune(snapshotter);
            entry = entries.computeIfAbsent(id, _ -> new Entry());
        }
        Counted latest = entry.latest;
        Instant now = clock.instant();
        if (latest == null && lastLarge.plus(PATIENCE).isBefore(now)) {
            latest = countNow(snapshotter, key, entry, now);
        }
        if (latest == null || latest.at().plus(FRESH).isBefore(now)) {
            countLater(snapshotter, id, entry);
        }
        return Optional.ofNullable(latest);
    }

    private @Nullable Counted countNow(Snapshotter snapshotter, String key, Entry entry, Instant now) {
        try {
            Optional<Usage> usage = snapshotter.upperDirectory(key).flatMap(it -> Trees.usage(it, SMALL));
            if (usage.isEmpty()) {
                lastLarge = now;
                return null;
            }
            Counted counted = new Counted(usage.get(), now);
            entry.latest = counted;
            return counted;
        } catch (ErrnoException | StorageException e) {
            log.atDebug().addKeyValue("snapshot", key).setCause(e).log("cannot count a layer");
            return null;
        }
    }

    private void countLater(Snapshotter snapshotter, Key id, Entry entry) {
        if (entry.queued.compareAndSet(false, true)) {
            walker.execute(() -> count(snapshotter, id, entry));
        }
    }

    private void count(Snapshotter snapshotter, Key id, Entry entry) {
        long begin = System.nanoTime();
        try {
            Path files = snapshotter.upperDirectory(id.key()).orElse(null);
            if (files == null) {
                entries.remove(id);
                return;
            }
            entry.latest = new Counted(Trees.usage(files), clock.instant());
        } catch (StorageException.NotFound _) {
            entries.remove(id);
        } catch (ErrnoException | StorageException e) {
            log.atDebug().addKeyValue("snapshot", id.key()).setCause(e).log("cannot count a layer");
        } finally {
            entry.queued.set(false);
        }
        try {
            TimeUnit.NANOSECONDS.sleep(REST * (System.nanoTime() - begin));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the daemon ends
        }
    }

    private void prune(Snapshotter snapshotter) {
        if (entries.size() >= pruneAt) {
            entries.keySet()
                    .removeIf(id -> id.snapshotter().equals(snapshotter.name())
                            && snapshotter.find(id.key()).isEmpty());
            pruneAt = Math.max(64, 2 * entries.size());
        }
    }

    @Override
    public void close() {
        walker.shutdownNow();
    }
}
