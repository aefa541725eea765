package dev.gantry.storage;

/// What one run of the [GarbageCollector] removed.
///
/// @param leases that had expired
public record Collected(Part blobs, Part snapshots, int leases) {

    /// How many, and how many bytes they took.
    public record Part(int count, long bytes) {

        static final Part NOTHING = new Part(0, 0);

        Part plus(Part other) {
            return new Part(count + other.count, bytes + other.bytes);
        }
    }
}
