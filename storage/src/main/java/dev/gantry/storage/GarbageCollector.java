package dev.gantry.storage;

import dev.gantry.cri.oci.Digest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Removes blobs and snapshots that nothing refers to: marks from the roots and the leases, along a blob's children
/// and a snapshot's parents, and sweeps what is left.
///
/// Safe beside pulls and pods being made: the last word is spoken under the writer's lock, so a lease or an object
/// that was committed before it counts; what was made after the run began is kept, and what is being stored is not
/// touched. One run at a time; a second waits.
public final class GarbageCollector {

    private static final Logger log = LoggerFactory.getLogger(GarbageCollector.class);

    /// How long a fetch that was cut off can still be resumed.
    private static final Duration INGEST_AGE = Duration.ofDays(1);

    private final MetadataStore store;
    private final ContentStore content;
    private final List<Snapshotter> snapshotters;
    private final Leases leases;
    private final List<RootSource> roots;

    public GarbageCollector(
            MetadataStore store,
            ContentStore content,
            List<Snapshotter> snapshotters,
            Leases leases,
            List<RootSource> roots) {
        this.store = store;
        this.content = content;
        this.snapshotters = List.copyOf(snapshotters);
        this.leases = leases;
        this.roots = List.copyOf(roots);
    }

    /// One run. What it removed is gone from the disk when it returns.
    public synchronized Collected run() {
        Instant start = Instant.now();
        int expired = leases.dropExpired();
        Collected.Part snapshots = Collected.Part.NOTHING;
        for (Snapshotter snapshotter : snapshotters) {
            snapshots = snapshots.plus(snapshotter.sweep(view -> snapshotsOf(snapshotter, mark(view)), start));
            snapshotter.cleanUp();
        }
        Collected.Part blobs = content.sweep(view -> blobs(mark(view)), start);
        content.dropIngestsOlderThan(INGEST_AGE);
        store.keepReserve();
        Collected collected = new Collected(blobs, snapshots, expired);
        if (blobs.count() + snapshots.count() > 0) {
            log.atInfo()
                    .addKeyValue("blobs", blobs.count())
                    .addKeyValue("snapshots", snapshots.count())
                    .addKeyValue("bytes", blobs.bytes() + snapshots.bytes())
                    .log("garbage collected");
        }
        return collected;
    }

    /// Everything that is needed in this view.
    private Set<Ref> mark(View view) {
        Deque<Ref> pending = new ArrayDeque<>();
        roots.forEach(source -> source.roots(view).forEach(pending::add));
        view.all(Leases.KIND).forEach(lease -> pending.addAll(lease.references()));
        Set<Ref> marked = new HashSet<>();
        for (Ref ref = pending.poll(); ref != null; ref = pending.poll()) {
            if (marked.add(ref)) {
                pending.addAll(needs(view, ref));
            }
        }
        return marked;
    }

    private List<Ref> needs(View view, Ref ref) {
        return switch (ref) {
            case Ref.Content(Digest digest) ->
                view.find(ContentStore.KIND, digest.toString()).map(Blob::children).orElse(List.of()).stream()
                        .<Ref>map(Ref.Content::new)
                        .toList();
            case Ref.Snapshot(String name, String key) ->
                parent(view, name, key)
                        .<List<Ref>>map(parent -> List.of(new Ref.Snapshot(name, parent)))
                        .orElse(List.of());
        };
    }

    private Optional<String> parent(View view, String snapshotter, String key) {
        return snapshotters.stream()
                .filter(known -> known.name().equals(snapshotter))
                .findFirst()
                .flatMap(known -> known.parent(view, key));
    }

    private static Set<Digest> blobs(Set<Ref> marked) {
        return marked.stream()
                .filter(Ref.Content.class::isInstance)
                .map(ref -> ((Ref.Content) ref).digest())
                .collect(Collectors.toSet());
    }

    private static Set<String> snapshotsOf(Snapshotter snapshotter, Set<Ref> marked) {
        return marked.stream()
                .filter(Ref.Snapshot.class::isInstance)
                .map(Ref.Snapshot.class::cast)
                .filter(ref -> ref.snapshotter().equals(snapshotter.name()))
                .map(Ref.Snapshot::key)
                .collect(Collectors.toSet());
    }
}
