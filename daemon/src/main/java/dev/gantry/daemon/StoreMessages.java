package dev.gantry.daemon;

import com.google.protobuf.Timestamp;
import dev.gantry.cri.gantry.v1.ContentInfo;
import dev.gantry.cri.gantry.v1.LeaseInfo;
import dev.gantry.cri.gantry.v1.SnapshotInfo;
import dev.gantry.storage.Blob;
import dev.gantry.storage.Lease;
import dev.gantry.storage.Ref;
import dev.gantry.storage.SnapshotState;
import java.time.Instant;

/// What lies in the stores, as `gantry.v1` says it.
final class StoreMessages {

    private StoreMessages() {}

    static ContentInfo blob(Blob blob) {
        return ContentInfo.newBuilder()
                .setDigest(blob.digest().toString())
                .setSize(blob.size())
                .setCreatedAt(time(blob.created()))
                .putAllLabels(blob.labels())
                .build();
    }

    static SnapshotInfo snapshot(dev.gantry.storage.SnapshotInfo snapshot) {
        return SnapshotInfo.newBuilder()
                .setKey(snapshot.key())
                .setParent(snapshot.parent().orElse(""))
                .setKind(kind(snapshot.state()))
                .setSize(snapshot.usage().bytes())
                .setInodes(snapshot.usage().inodes())
                .setCreatedAt(time(snapshot.created()))
                .setSnapshotter(snapshot.snapshotter())
                .putAllLabels(snapshot.labels())
                .build();
    }

    static LeaseInfo lease(Lease lease) {
        LeaseInfo.Builder info = LeaseInfo.newBuilder()
                .setId(lease.id())
                .setCreatedAt(time(lease.created()))
                .setExpiresAt(time(lease.expires()))
                .putAllLabels(lease.labels());
        lease.references().stream().map(StoreMessages::resource).sorted().forEach(info::addResources);
        return info.build();
    }

    static Timestamp time(Instant instant) {
        return Timestamp.newBuilder()
                .setSeconds(instant.getEpochSecond())
                .setNanos(instant.getNano())
                .build();
    }

    private static SnapshotInfo.Kind kind(SnapshotState state) {
        return switch (state) {
            case ACTIVE -> SnapshotInfo.Kind.ACTIVE;
            case VIEW -> SnapshotInfo.Kind.VIEW;
            case COMMITTED -> SnapshotInfo.Kind.COMMITTED;
        };
    }

    private static String resource(Ref reference) {
        return switch (reference) {
            case Ref.Content content -> "content/" + content.digest();
            case Ref.Snapshot snapshot -> "snapshot/%s/%s".formatted(snapshot.snapshotter(), snapshot.key());
        };
    }
}
