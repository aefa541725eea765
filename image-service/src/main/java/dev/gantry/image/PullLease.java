package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import dev.gantry.storage.Lease;
import dev.gantry.storage.Leases;
import dev.gantry.storage.Ref;
import java.time.Duration;
import java.util.Map;

/// Keeps what a pull has fetched and unpacked from being collected until the image refers to it.
final class PullLease implements AutoCloseable {

    /// Longer than any pull; it matters only when the daemon is killed within one.
    private static final Duration LONGEST = Duration.ofHours(24);

    private final Leases leases;
    private final Lease lease;

    PullLease(Leases leases, String purpose) {
        this.leases = leases;
        this.lease = leases.create(LONGEST, Map.of("gantry.dev/pull", purpose));
    }

    void hold(Digest blob) {
        leases.add(lease, new Ref.Content(blob));
    }

    void hold(String snapshotter, String key) {
        leases.add(lease, new Ref.Snapshot(snapshotter, key));
    }

    @Override
    public void close() {
        leases.release(lease);
    }
}
