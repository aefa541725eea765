package dev.gantry.storage;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.UnaryOperator;

/// Leases, so that a pull or a pod's creation keeps what nothing refers to yet.
///
/// Take the lease on a blob or snapshot first and then look whether it is there: what is there then stays. Leases
/// survive the end of the daemon, and end by [#release] or by time; an expired one is dropped by the collector.
/// Thread-safe.
public final class Leases {

    public static final Kind<Lease> KIND = new Kind<>("leases", Lease::id, new Lease.Stored());

    private final MetadataStore store;
    private final Clock clock;

    public Leases(MetadataStore store) {
        this(store, Clock.systemUTC());
    }

    Leases(MetadataStore store, Clock clock) {
        this.store = store;
        this.clock = clock;
    }

    public Lease create(Duration ttl, Map<String, String> labels) {
        Instant now = clock.instant();
        Lease lease = new Lease(UUID.randomUUID().toString(), now, now.plus(ttl), labels, Set.of());
        store.commit(Change.empty().put(KIND, lease), Durability.BUFFERED);
        return lease;
    }

    /// @throws StorageException.NotFound if the lease was released or has expired and been dropped
    public void add(Lease lease, Ref reference) {
        change(lease, newest -> newest.with(reference));
    }

    /// Lets the lease run for `ttl` from now.
    public void renew(Lease lease, Duration ttl) {
        change(lease, newest -> newest.until(clock.instant().plus(ttl)));
    }

    /// Ends the lease; that it has ended is fine.
    public void release(Lease lease) {
        store.commit(Change.empty().delete(KIND, lease.id()), Durability.BUFFERED);
    }

    public Collection<Lease> list() {
        return store.view().all(KIND);
    }

    int dropExpired() {
        return store.update(view -> {
            List<Lease> expired = view.all(KIND).stream()
                    .filter(lease -> lease.expires().isBefore(clock.instant()))
                    .toList();
            Change change = Change.empty();
            for (Lease lease : expired) {
                change = change.delete(KIND, lease.id());
            }
            return new Update<>(change, expired.size(), Durability.BUFFERED);
        });
    }

    private void change(Lease lease, UnaryOperator<Lease> step) {
        store.update(view -> {
            Lease newest =
                    view.find(KIND, lease.id()).orElseThrow(() -> new StorageException.NotFound("lease", lease.id()));
            return new Update<>(Change.empty().put(KIND, step.apply(newest)), newest, Durability.BUFFERED);
        });
    }
}
