package dev.gantry.storage;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.linux.Usage;
import dev.gantry.storage.v1.StoredSnapshot;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// A snapshot's row.
///
/// @param number the name of its directory, never used again
/// @param unsynced the boot in which its files were written, empty when they are known to be on the disk
/// @param layer whether it is filled without a mount
record Snapshot(SnapshotInfo info, long number, String unsynced, boolean layer) {

    static Kind<Snapshot> kind(String snapshotter) {
        return new Kind<>("snapshots-" + snapshotter, snapshot -> snapshot.info.key(), new Stored(snapshotter));
    }

    Snapshot committed(String name, Optional<String> parent, Map<String, String> labels, Usage usage, String boot) {
        SnapshotInfo committed = new SnapshotInfo(
                info.snapshotter(), name, parent, SnapshotState.COMMITTED, Instant.now(), labels, usage);
        return new Snapshot(committed, number, boot, layer);
    }

    Snapshot synced() {
        return new Snapshot(info, number, "", layer);
    }

    private record Stored(String snapshotter) implements Codec<Snapshot> {

        @Override
        public byte[] encode(Snapshot snapshot) {
            SnapshotInfo info = snapshot.info;
            return StoredSnapshot.newBuilder()
                    .setKey(info.key())
                    .setNumber(snapshot.number)
                    .setParent(info.parent().orElse(""))
                    .setState(
                            switch (info.state()) {
                                case ACTIVE -> StoredSnapshot.State.ACTIVE;
                                case VIEW -> StoredSnapshot.State.VIEW;
                                case COMMITTED -> StoredSnapshot.State.COMMITTED;
                            })
                    .setCreated(Times.nanos(info.created()))
                    .putAllLabels(info.labels())
                    .setBytes(info.usage().bytes())
                    .setInodes(info.usage().inodes())
                    .setUnsynced(snapshot.unsynced)
                    .setLayer(snapshot.layer)
                    .build()
                    .toByteArray();
        }

        @Override
        public Snapshot decode(byte[] bytes) {
            try {
                StoredSnapshot stored = StoredSnapshot.parseFrom(bytes);
                SnapshotInfo info = new SnapshotInfo(
                        snapshotter,
                        stored.getKey(),
                        Optional.of(stored.getParent()).filter(parent -> !parent.isEmpty()),
                        state(stored.getState()),
                        Times.instant(stored.getCreated()),
                        stored.getLabelsMap(),
                        new Usage(stored.getBytes(), stored.getInodes()));
                return new Snapshot(info, stored.getNumber(), stored.getUnsynced(), stored.getLayer());
            } catch (InvalidProtocolBufferException e) {
                throw new StorageException.Corrupt("not a snapshot's row", e);
            }
        }

        private static SnapshotState state(StoredSnapshot.State state) {
            return switch (state) {
                case ACTIVE -> SnapshotState.ACTIVE;
                case VIEW -> SnapshotState.VIEW;
                case COMMITTED -> SnapshotState.COMMITTED;
                case UNKNOWN, UNRECOGNIZED ->
                    throw new StorageException.Corrupt("a snapshot in a state of a newer program", null);
            };
        }
    }
}
