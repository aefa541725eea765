package dev.gantry.storage;

import dev.gantry.linux.Mount;
import dev.gantry.linux.Usage;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// Keeps the file systems of images and containers as a tree of layers, each with a parent or none.
///
/// A snapshot is prepared under a key, written, and then either removed (a container's) or committed under a name
/// (an image layer's). Keys and names share one name space per snapshotter. An unknown key is
/// [StorageException.NotFound], a taken one [StorageException.AlreadyExists], a full disk
/// [StorageException.NoSpace]; only [#remove] takes an absent one for done.
///
/// What was promised holds after the daemon is killed. After a power cut, snapshots that were prepared shortly
/// before may be gone, as no container runs then, and layers whose files had not reached the disk are gone as a
/// whole: they are never served half. Thread-safe, and calls for different keys do not wait for each other's files.
public sealed interface Snapshotter permits DirectorySnapshotter {

    /// As the configuration and [SnapshotInfo] call it.
    String name();

    /// Makes a writable snapshot; answers how to mount it.
    List<Mount> prepare(String key, Optional<String> parent, Map<String, String> labels);

    /// As [#prepare(String, Optional, Map)], for a pod that may have ids of its own.
    ///
    /// @throws StorageException.WrongState if it has and this snapshotter cannot ([#shiftsIds])
    List<Mount> prepare(String key, Optional<String> parent, Map<String, String> labels, Optional<IdShift> shift);

    /// Makes a snapshot to read a committed one; answers how to mount it.
    List<Mount> view(String key, Optional<String> parent);

    /// As [#view(String, Optional)], for a pod that may have ids of its own.
    List<Mount> view(String key, Optional<String> parent, Optional<IdShift> shift);

    /// How to mount an active snapshot or a view. Asked for before each mounting: it makes a layer ready that was
    /// mounted before. Their targets are empty.
    List<Mount> mounts(String key);

    /// As [#mounts(String)], for a pod that may have ids of its own.
    List<Mount> mounts(String key, Optional<IdShift> shift);

    /// Whether pods can have ids of their own, as far as this snapshotter is concerned.
    boolean shiftsIds();

    /// Turns an active snapshot, which must not be mounted any more, into the committed one `name`.
    void commit(String name, String key, Map<String, String> labels);

    /// Removes a snapshot and its files. It must not be mounted.
    ///
    /// @throws StorageException.InUse if it is the parent of another
    void remove(String key);

    Optional<SnapshotInfo> find(String key);

    Collection<SnapshotInfo> list();

    /// What the snapshot's own layer takes on the disk. Walks the files of an active one.
    Usage usage(String key);

    /// The snapshot and those below it, itself first.
    ///
    /// @throws StorageException.NotFound if it or one of its ancestors is missing
    List<String> chain(String key);

    /// Whether a layer can be unpacked before its parent is there. Then [#prepareLayer] needs no parent.
    boolean layersIndependent();

    Whiteouts whiteouts();

    /// Begins an image layer that is unpacked without a mount; answers the directory to unpack into. If `key` is
    /// left from an attempt that was cut off, its files are removed first.
    Path prepareLayer(String key, Optional<String> parent);

    /// Ends what [#prepareLayer] began. That another has committed the same name meanwhile is
    /// [StorageException.AlreadyExists]; the caller then removes `key`.
    void commitLayer(String name, String key, Optional<String> parent, Map<String, String> labels);

    /// Where the files of a committed layer lie: its own with `overlayfs`, those of its parents too with `native`.
    Path layerDirectory(String name);

    /// Where the files lie that an active snapshot adds to its parent, for example to measure them.
    Optional<Path> upperDirectory(String key);

    /// Where all files of this snapshotter lie, for example to ask the file system's size.
    Path root();

    /// Brings all committed layers to the disk and remembers that. Slow, so a background thread does it after a
    /// pull; until then a power cut makes the store drop them.
    void sync();

    /// Deletes directories that a removal or a preparation left when it was cut off.
    ///
    /// @return how many
    int cleanUp();

    /// The parent of a snapshot as that view has it.
    Optional<String> parent(View view, String key);

    /// For the [GarbageCollector]: removes every snapshot that was made before `start` and whose key is not in what
    /// `kept` answers for the newest view, decided and done in one step. `kept` holds the parents of what it holds.
    Collected.Part sweep(Function<View, Set<String>> kept, Instant start);
}
