package dev.gantry.image;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.cri.oci.Digest;
import dev.gantry.image.v1.StoredImage;
import dev.gantry.storage.Codec;
import dev.gantry.storage.Index;
import dev.gantry.storage.Kind;
import dev.gantry.storage.StorageException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// An image on this node, or an artifact: files that registries keep like images, and that only volumes can use.
///
/// @param id the digest of its configuration: what CRI calls image id and image ref; of an artifact, whose
/// configuration
///     may be that of any other, the digest of its manifest
/// @param manifest the manifest it was last pulled by
/// @param target what its name led to: an index, or the manifest itself
/// @param tags `docker.io/library/nginx:latest` and the like; each belongs to one image only
/// @param digests `docker.io/library/nginx@sha256:…`, of manifests and of indexes
/// @param size compressed, all parts together, in bytes
/// @param diffIds of the layers, the lowest first
/// @param pulled when it was last pulled or imported
/// @param pinned never to be removed to gain space
/// @param user as the configuration has it: a name or a number, perhaps with a group
/// @param artifact whether it cannot be run
public record Image(
        Digest id,
        Digest manifest,
        Digest target,
        List<String> tags,
        List<String> digests,
        long size,
        List<Digest> diffIds,
        Instant pulled,
        boolean pinned,
        String user,
        boolean artifact) {

    static final String BY_NAME = "name";

    /// The images of this node, found by id, and by tag or digest with the index `name`.
    public static final Kind<Image> KIND = new Kind<>(
            "images", image -> image.id().toString(), new Stored(), List.of(new Index<>(BY_NAME, Image::names)));

    public Image {
        tags = List.copyOf(tags);
        digests = List.copyOf(digests);
        diffIds = List.copyOf(diffIds);
    }

    /// Tags and digests.
    public List<String> names() {
        List<String> names = new ArrayList<>(tags);
        names.addAll(digests);
        return names;
    }

    /// The name of the committed snapshot that has all layers of the image; that of an image without layers is of no
    /// snapshot.
    public Digest chainId() {
        return diffIds.isEmpty() ? id : ChainIds.of(diffIds).getLast();
    }

    /// Without this tag or digest, which another image has from now on.
    Image without(List<String> names) {
        return new Image(
                id,
                manifest,
                target,
                tags.stream().filter(tag -> !names.contains(tag)).toList(),
                digests.stream().filter(digest -> !names.contains(digest)).toList(),
                size,
                diffIds,
                pulled,
                pinned,
                user,
                artifact);
    }

    private static final class Stored implements Codec<Image> {

        private static final int VERSION = 1;

        @Override
        public byte[] encode(Image image) {
            StoredImage.Builder stored = StoredImage.newBuilder()
                    .setVersion(VERSION)
                    .setId(image.id.toString())
                    .setManifest(image.manifest.toString())
                    .setTarget(image.target.toString())
                    .addAllTags(image.tags)
                    .addAllDigests(image.digests)
                    .setSize(image.size)
                    .setPulledSeconds(image.pulled.getEpochSecond())
                    .setPulledNanos(image.pulled.getNano())
                    .setPinned(image.pinned)
                    .setUser(image.user)
                    .setArtifact(image.artifact);
            image.diffIds.forEach(diffId -> stored.addDiffIds(diffId.toString()));
            return stored.build().toByteArray();
        }

        @Override
        public Image decode(byte[] bytes) {
            try {
                StoredImage stored = StoredImage.parseFrom(bytes);
                if (stored.getVersion() != VERSION) {
                    throw new StorageException.Corrupt(
                            "an image's row has version %d, this program writes %d"
                                    .formatted(stored.getVersion(), VERSION),
                            null);
                }
                return new Image(
                        Digest.parse(stored.getId()),
                        Digest.parse(stored.getManifest()),
                        Digest.parse(stored.getTarget()),
                        stored.getTagsList(),
                        stored.getDigestsList(),
                        stored.getSize(),
                        stored.getDiffIdsList().stream().map(Digest::parse).toList(),
                        Instant.ofEpochSecond(stored.getPulledSeconds(), stored.getPulledNanos()),
                        stored.getPinned(),
                        stored.getUser(),
                        stored.getArtifact());
            } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
                throw new StorageException.Corrupt("not an image's row", e);
            }
        }
    }
}
