package dev.gantry.storage;

/// How the deletion of a lower layer's file is written into the directory of the layer that deletes it.
public enum Whiteouts {
    /// As overlayfs reads it: a character device 0:0 in place of the file, `trusted.overlay.opaque` on a directory.
    OVERLAY,
    /// The directory holds a copy of the layers below: delete there.
    APPLY
}
