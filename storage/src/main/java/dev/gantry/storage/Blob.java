package dev.gantry.storage;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.cri.oci.Digest;
import dev.gantry.storage.v1.StoredBlob;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// A blob in the [ContentStore]: its bytes are there, whole, and have this digest.
///
/// @param size in bytes
/// @param children the blobs that it refers to (an index its manifests, a manifest its configuration and layers),
///     as far as whoever stored it said so; they are kept for as long as it is
/// @param inline whether the bytes lie in the database rather than in a file
public record Blob(
        Digest digest, long size, Instant created, List<Digest> children, Map<String, String> labels, boolean inline) {

    public Blob {
        children = List.copyOf(children);
        labels = Map.copyOf(labels);
    }

    static final class Stored implements Codec<Blob> {

        @Override
        public byte[] encode(Blob blob) {
            StoredBlob.Builder stored = StoredBlob.newBuilder()
                    .setDigest(blob.digest.toString())
                    .setSize(blob.size)
                    .setCreated(Times.nanos(blob.created))
                    .putAllLabels(blob.labels)
                    .setInline(blob.inline);
            blob.children.forEach(child -> stored.addChildren(child.toString()));
            return stored.build().toByteArray();
        }

        @Override
        public Blob decode(byte[] bytes) {
            try {
                StoredBlob stored = StoredBlob.parseFrom(bytes);
                return new Blob(
                        Digest.parse(stored.getDigest()),
                        stored.getSize(),
                        Times.instant(stored.getCreated()),
                        stored.getChildrenList().stream().map(Digest::parse).toList(),
                        stored.getLabelsMap(),
                        stored.getInline());
            } catch (InvalidProtocolBufferException e) {
                throw new StorageException.Corrupt("not a blob's row", e);
            }
        }
    }
}
