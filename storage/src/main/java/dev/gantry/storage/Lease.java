package dev.gantry.storage;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.cri.oci.Digest;
import dev.gantry.storage.v1.StoredLease;
import dev.gantry.storage.v1.StoredReference;
import dev.gantry.storage.v1.StoredSnapshotReference;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// Keeps what an unfinished piece of work needs from being collected, until it is released or expires.
///
/// @param references as of when the lease was read; [Leases] has the newest
public record Lease(String id, Instant created, Instant expires, Map<String, String> labels, Set<Ref> references) {

    public Lease {
        labels = Map.copyOf(labels);
        references = Set.copyOf(references);
    }

    Lease with(Ref reference) {
        Set<Ref> more = new LinkedHashSet<>(references);
        more.add(reference);
        return new Lease(id, created, expires, labels, more);
    }

    Lease until(Instant newExpires) {
        return new Lease(id, created, newExpires, labels, references);
    }

    static final class Stored implements Codec<Lease> {

        @Override
        public byte[] encode(Lease lease) {
            StoredLease.Builder stored = StoredLease.newBuilder()
                    .setId(lease.id)
                    .setCreated(Times.nanos(lease.created))
                    .setExpires(Times.nanos(lease.expires))
                    .putAllLabels(lease.labels);
            lease.references.forEach(reference -> stored.addReferences(encode(reference)));
            return stored.build().toByteArray();
        }

        @Override
        public Lease decode(byte[] bytes) {
            try {
                StoredLease stored = StoredLease.parseFrom(bytes);
                Set<Ref> references = new LinkedHashSet<>();
                stored.getReferencesList().forEach(reference -> references.add(decode(reference)));
                return new Lease(
                        stored.getId(),
                        Times.instant(stored.getCreated()),
                        Times.instant(stored.getExpires()),
                        stored.getLabelsMap(),
                        references);
            } catch (InvalidProtocolBufferException e) {
                throw new StorageException.Corrupt("not a lease's row", e);
            }
        }

        private static StoredReference encode(Ref reference) {
            StoredReference.Builder stored = StoredReference.newBuilder();
            return switch (reference) {
                case Ref.Content(Digest digest) ->
                    stored.setContent(digest.toString()).build();
                case Ref.Snapshot(String snapshotter, String key) ->
                    stored.setSnapshot(StoredSnapshotReference.newBuilder()
                                    .setSnapshotter(snapshotter)
                                    .setKey(key))
                            .build();
            };
        }

        private static Ref decode(StoredReference stored) {
            return switch (stored.getObjectCase()) {
                case CONTENT -> new Ref.Content(Digest.parse(stored.getContent()));
                case SNAPSHOT ->
                    new Ref.Snapshot(
                            stored.getSnapshot().getSnapshotter(),
                            stored.getSnapshot().getKey());
                case OBJECT_NOT_SET -> throw new StorageException.Corrupt("a lease on nothing known", null);
            };
        }
    }
}
