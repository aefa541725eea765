package dev.gantry.storage;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.FileSystems;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Trees;
import dev.gantry.linux.Usage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A snapshotter whose snapshots are directories `<root>/<number>/fs`: their rows, states and removal.
///
/// A row is committed before its directory is made and deleted before its directory is removed. So a directory
/// without a row is rubbish at any moment, and [#cleanUp] needs no lock. A row without a directory was cut off: it
/// goes at the next open, and so does a committed row whose files may not have reached the disk before the machine
/// went down.
abstract sealed class DirectorySnapshotter implements Snapshotter permits OverlaySnapshotter, NativeSnapshotter {

    private static final Logger log = LoggerFactory.getLogger(DirectorySnapshotter.class);

    private final String name;
    private final Path root;
    private final Kind<Snapshot> kind;
    private final MetadataStore store;
    private final String boot;

    /// Guarded by the store's writer lock.
    private long lastNumber;

    DirectorySnapshotter(String name, Path root, Kind<Snapshot> kind, MetadataStore store, String boot) {
        this.name = name;
        this.root = root;
        this.kind = kind;
        this.store = store;
        this.boot = boot;
        Directories.make(root);
        dropLost();
        lastNumber = Math.max(
                numbers().stream().mapToLong(number -> number).max().orElse(0),
                store.view().all(kind).stream()
                        .mapToLong(Snapshot::number)
                        .max()
                        .orElse(0));
    }

    /// Makes what is in the new directory of a snapshot.
    ///
    /// @param parent where the files of its parent lie
    abstract void fill(Path directory, Optional<Path> parent, SnapshotState state) throws IOException;

    /// @param layers the root of this snapshotter, or where it is mounted once more
    abstract List<Mount> mounts(Snapshot snapshot, Path layers);

    /// Gives what [#fill] made to the pod's own root.
    abstract void shift(Path directory, IdShift shift) throws IOException;

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final Path root() {
        return root;
    }

    @Override
    public final List<Mount> prepare(String key, Optional<String> parent, Map<String, String> labels) {
        return prepare(key, parent, labels, Optional.empty());
    }

    @Override
    public final List<Mount> prepare(
            String key, Optional<String> parent, Map<String, String> labels, Optional<IdShift> shift) {
        Path layers = layers(shift);
        return mounts(create(key, parent, SnapshotState.ACTIVE, false, labels, shift), layers);
    }

    @Override
    public final List<Mount> view(String key, Optional<String> parent) {
        return view(key, parent, Optional.empty());
    }

    @Override
    public final List<Mount> view(String key, Optional<String> parent, Optional<IdShift> shift) {
        Path layers = layers(shift);
        return mounts(create(key, parent, SnapshotState.VIEW, false, Map.of(), shift), layers);
    }

    @Override
    public final List<Mount> mounts(String key) {
        return mounts(key, Optional.empty());
    }

    @Override
    public final List<Mount> mounts(String key, Optional<IdShift> shift) {
        Path layers = layers(shift);
        return mounts(mountable(key), layers);
    }

    private Snapshot mountable(String key) {
        Snapshot snapshot = get(key);
        if (snapshot.info().state() == SnapshotState.COMMITTED) {
            throw new StorageException.WrongState("snapshot %s is committed: mount a view of it".formatted(key));
        }
        return snapshot;
    }

    private Path layers(Optional<IdShift> shift) {
        if (shift.isPresent() && !shiftsIds()) {
            throw new StorageException.WrongState(
                    "snapshotter %s cannot serve pods with user namespaces; overlayfs can".formatted(name));
        }
        return shift.map(IdShift::root).orElse(root);
    }

    @Override
    public final Path prepareLayer(String key, Optional<String> parent) {
        if (find(key).isPresent()) {
            requireState(get(key), SnapshotState.ACTIVE);
            remove(key);
        }
        Optional<String> below = layersIndependent() ? Optional.empty() : parent;
        return files(create(key, below, SnapshotState.ACTIVE, true, Map.of(), Optional.empty()));
    }

    @Override
    public final void commit(String target, String key, Map<String, String> labels) {
        commit(target, key, false, get(key).info().parent(), labels);
    }

    @Override
    public final void commitLayer(String target, String key, Optional<String> parent, Map<String, String> labels) {
        commit(target, key, true, parent, labels);
    }

    @Override
    public final Path layerDirectory(String key) {
        Snapshot snapshot = get(key);
        requireState(snapshot, SnapshotState.COMMITTED);
        return files(snapshot);
    }

    @Override
    public final Optional<Path> upperDirectory(String key) {
        Snapshot snapshot = get(key);
        return snapshot.info().state() == SnapshotState.ACTIVE ? Optional.of(files(snapshot)) : Optional.empty();
    }

    @Override
    public final List<String> chain(String key) {
        Snapshot snapshot = get(key);
        List<String> chain = new ArrayList<>(List.of(key));
        ancestors(snapshot).forEach(ancestor -> chain.add(ancestor.info().key()));
        return chain;
    }

    final Path directory(Snapshot snapshot) {
        return root.resolve(Long.toString(snapshot.number()));
    }

    final Path files(Snapshot snapshot) {
        return files(snapshot, root);
    }

    /// As seen where `layers` shows the root of this snapshotter.
    static Path files(Snapshot snapshot, Path layers) {
        return layers.resolve(Long.toString(snapshot.number())).resolve("fs");
    }

    @Override
    public final Optional<SnapshotInfo> find(String key) {
        return store.view().find(kind, key).map(Snapshot::info);
    }

    private Snapshot get(String key) {
        return get(store.view(), key);
    }

    private Snapshot get(View view, String key) {
        return view.find(kind, key).orElseThrow(() -> new StorageException.NotFound("snapshot", key));
    }

    @Override
    public final Collection<SnapshotInfo> list() {
        return store.view().all(kind).stream().map(Snapshot::info).toList();
    }

    @Override
    public final Optional<String> parent(View view, String key) {
        return view.find(kind, key).flatMap(snapshot -> snapshot.info().parent());
    }

    /// The snapshots below `key`, the nearest first.
    final List<Snapshot> ancestors(Snapshot snapshot) {
        View view = store.view();
        List<Snapshot> ancestors = new ArrayList<>();
        Optional<String> parent = snapshot.info().parent();
        while (parent.isPresent()) {
            Snapshot next = get(view, parent.get());
            ancestors.add(next);
            parent = next.info().parent();
        }
        return ancestors;
    }

    /// Makes a row and its directory.
    private Snapshot create(
            String key,
            Optional<String> parent,
            SnapshotState state,
            boolean layer,
            Map<String, String> labels,
            Optional<IdShift> shift) {
        Snapshot made = store.update(view -> {
            if (view.find(kind, key).isPresent()) {
                throw new StorageException.AlreadyExists("snapshot", key);
            }
            parent.ifPresent(below -> requireCommitted(get(view, below)));
            SnapshotInfo info = new SnapshotInfo(name, key, parent, state, Instant.now(), labels, Usage.NONE);
            Snapshot snapshot = new Snapshot(info, ++lastNumber, "", layer);
            return new Update<>(Change.empty().put(kind, snapshot), snapshot, Durability.BUFFERED);
        });
        Path directory = directory(made);
        try {
            Optional<Path> lower = parent.map(below -> files(get(below)));
            Failures.guard("make snapshot " + key, () -> {
                Directories.make(directory);
                fill(directory, lower, state);
                if (shift.isPresent()) {
                    shift(directory, shift.get());
                }
            });
        } catch (RuntimeException e) {
            Failures.undo(e, () -> forget(made));
            Failures.undo(e, () -> delete(directory));
            throw e;
        }
        return made;
    }

    private void commit(String target, String key, boolean layer, Optional<String> parent, Map<String, String> labels) {
        Snapshot active = get(key);
        requireState(active, SnapshotState.ACTIVE);
        if (active.layer() != layer) {
            throw new StorageException.WrongState("snapshot %s was %s"
                    .formatted(key, active.layer() ? "prepared as a layer" : "not prepared as a layer"));
        }
        Usage usage = measure(active);
        store.update(view -> {
            Snapshot newest = get(view, key);
            requireState(newest, SnapshotState.ACTIVE);
            if (!target.equals(key) && view.find(kind, target).isPresent()) {
                throw new StorageException.AlreadyExists("snapshot", target);
            }
            parent.ifPresent(below -> requireCommitted(get(view, below)));
            Change change =
                    Change.empty().delete(kind, key).put(kind, newest.committed(target, parent, labels, usage, boot));
            return new Update<>(change, target, Durability.BUFFERED);
        });
    }

    @Override
    public final void remove(String key) {
        Optional<Snapshot> gone = store.update(view -> {
            Optional<Snapshot> snapshot = view.find(kind, key);
            if (snapshot.isEmpty()) {
                return Update.nothing(snapshot);
            }
            for (Snapshot other : view.all(kind)) {
                if (other.info().parent().filter(key::equals).isPresent()) {
                    throw new StorageException.InUse(
                            "snapshot",
                            key,
                            "it is the parent of " + other.info().key());
                }
            }
            return new Update<>(Change.empty().delete(kind, key), snapshot, Durability.BUFFERED);
        });
        gone.ifPresent(snapshot -> delete(directory(snapshot)));
    }

    @Override
    public final Usage usage(String key) {
        Snapshot snapshot = get(key);
        return snapshot.info().state() == SnapshotState.COMMITTED
                ? snapshot.info().usage()
                : measure(snapshot);
    }

    @Override
    public final Collected.Part sweep(Function<View, Set<String>> kept, Instant start) {
        View seen = store.view();
        if (garbage(seen, kept.apply(seen), start).isEmpty()) {
            return Collected.Part.NOTHING;
        }
        Map<Path, Long> sizes = new HashMap<>();
        for (Snapshot snapshot : store.update(view -> {
            List<Snapshot> garbage = garbage(view, kept.apply(view), start);
            Change change = Change.empty();
            for (Snapshot snapshot : garbage) {
                change = change.delete(kind, snapshot.info().key());
            }
            return new Update<>(change, garbage, Durability.BUFFERED);
        })) {
            sizes.put(directory(snapshot), snapshot.info().usage().bytes());
        }
        sizes.keySet().forEach(DirectorySnapshotter::delete);
        return new Collected.Part(
                sizes.size(), sizes.values().stream().mapToLong(bytes -> bytes).sum());
    }

    /// Unneeded and old; but nothing whose child is young.
    private List<Snapshot> garbage(View view, Set<String> kept, Instant start) {
        Set<String> spared = new HashSet<>();
        for (Snapshot snapshot : view.all(kind)) {
            if (!snapshot.info().created().isBefore(start)) {
                Optional<String> key = Optional.of(snapshot.info().key());
                while (key.isPresent() && spared.add(key.get())) {
                    key = parent(view, key.get());
                }
            }
        }
        List<Snapshot> garbage = new ArrayList<>();
        for (Snapshot snapshot : view.all(kind)) {
            String key = snapshot.info().key();
            if (!kept.contains(key) && !spared.contains(key)) {
                garbage.add(snapshot);
            }
        }
        return garbage;
    }

    @Override
    public final void sync() {
        List<Snapshot> unsynced = unsynced(store.view());
        if (unsynced.isEmpty()) {
            return;
        }
        Failures.guard("sync " + root, () -> FileSystems.syncAll(root));
        store.update(view -> {
            Set<Long> numbers = new HashSet<>();
            unsynced.forEach(snapshot -> numbers.add(snapshot.number()));
            Change change = Change.empty();
            for (Snapshot snapshot : unsynced(view)) {
                if (numbers.contains(snapshot.number())) {
                    change = change.put(kind, snapshot.synced());
                }
            }
            return new Update<>(change, change, Durability.BUFFERED);
        });
    }

    private List<Snapshot> unsynced(View view) {
        return view.all(kind).stream()
                .filter(snapshot -> !snapshot.unsynced().isEmpty())
                .toList();
    }

    @Override
    public final int cleanUp() {
        List<Long> numbers = numbers(); // before the rows: what is made after this is not in it
        Set<Long> known = new HashSet<>();
        store.view().all(kind).forEach(snapshot -> known.add(snapshot.number()));
        int removed = 0;
        for (long number : numbers) {
            if (!known.contains(number)) {
                log.atInfo()
                        .addKeyValue("directory", root.resolve(Long.toString(number)))
                        .log("leftover removed");
                delete(root.resolve(Long.toString(number)));
                removed++;
            }
        }
        return removed;
    }

    private void dropLost() {
        Set<Long> present = new LinkedHashSet<>(numbers());
        Change change = Change.empty();
        for (Snapshot snapshot : store.view().all(kind)) {
            boolean there = present.contains(snapshot.number()) && Files.isDirectory(files(snapshot));
            boolean whole = snapshot.unsynced().isEmpty() || snapshot.unsynced().equals(boot);
            if (!there || !whole) {
                log.atWarn()
                        .addKeyValue("snapshot", snapshot.info().key())
                        .log("snapshot dropped: its files {}", there ? "may not be whole" : "are missing");
                change = change.delete(kind, snapshot.info().key());
            }
        }
        store.commit(change, Durability.BUFFERED);
    }

    private List<Long> numbers() {
        try (Stream<Path> entries = Files.list(root)) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(entry -> entry.matches("[1-9][0-9]{0,17}"))
                    .map(Long::valueOf)
                    .toList();
        } catch (IOException e) {
            throw Failures.of("list " + root, e);
        }
    }

    private void forget(Snapshot snapshot) {
        store.commit(Change.empty().delete(kind, snapshot.info().key()), Durability.BUFFERED);
    }

    private Usage measure(Snapshot snapshot) {
        try {
            return Trees.usage(files(snapshot));
        } catch (ErrnoException e) {
            throw Failures.of("measure snapshot " + snapshot.info().key(), e);
        }
    }

    private static void delete(Path directory) {
        Failures.guard("remove " + directory, () -> Trees.delete(directory));
    }

    private static void requireCommitted(Snapshot snapshot) {
        requireState(snapshot, SnapshotState.COMMITTED);
    }

    private static void requireState(Snapshot snapshot, SnapshotState wanted) {
        if (snapshot.info().state() != wanted) {
            throw new StorageException.WrongState("snapshot %s is %s, not %s"
                    .formatted(snapshot.info().key(), snapshot.info().state(), wanted));
        }
    }
}
