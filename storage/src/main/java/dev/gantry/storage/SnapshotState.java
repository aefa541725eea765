package dev.gantry.storage;

/// What may be done with a snapshot.
public enum SnapshotState {
    /// Its files are being written: a container's writable layer, or a layer that is being unpacked.
    ACTIVE,
    /// Can be mounted, read-only.
    VIEW,
    /// Never changes again; can be a parent.
    COMMITTED
}
