package dev.gantry.storage;

/// What a commit promises when it returns.
public enum Durability {
    /// The change survives a power cut.
    SYNCED,
    /// The change survives the end of this process, however it ends, but perhaps not a power cut. Changes are never
    /// reordered: a later synced change makes all earlier ones durable too.
    BUFFERED
}
