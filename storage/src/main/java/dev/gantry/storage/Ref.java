package dev.gantry.storage;

import dev.gantry.cri.oci.Digest;

/// Something that is kept because something else needs it.
public sealed interface Ref {

    /// A blob, and the blobs that it refers to. It need not be there yet.
    record Content(Digest digest) implements Ref {}

    /// A snapshot, and those below it. It need not be there yet.
    record Snapshot(String snapshotter, String key) implements Ref {}
}
