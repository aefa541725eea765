package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.ImageConfig;
import dev.gantry.cri.oci.ImageManifest;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.storage.ContentStore;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What a name led to: the documents of one image, read and checked against each other, in the content store and on
/// lease. The layers may be anywhere yet.
///
/// @param tag to be given to the image, such as `docker.io/library/nginx:latest`
/// @param digests `name@digest` of the manifest, and of the index that led to it
record ResolvedImage(
        Reference reference,
        Digest target,
        Descriptor manifestDescriptor,
        ImageManifest manifest,
        ImageConfig config,
        Optional<String> tag,
        List<String> digests)
        implements Resolved {

    ResolvedImage {
        digests = List.copyOf(digests);
        if (config.diffIds().size() != manifest.layers().size()) {
            throw new ImageException.BadContent("image %s has %d layers, but its configuration names %d"
                    .formatted(
                            reference,
                            manifest.layers().size(),
                            config.diffIds().size()));
        }
    }

    /// Refuses an image with layers that nobody can unpack, before anything large is fetched.
    static void requireLayers(ImageManifest manifest, String what) {
        for (Descriptor layer : manifest.layers()) {
            if (!MediaTypes.isLayer(layer.mediaType())) {
                throw new ImageException.BadContent("%s has layer %s of type '%s', which cannot be unpacked"
                        .formatted(what, layer.digest(), layer.mediaType()));
            }
        }
    }

    /// The image as the stores have it.
    static ResolvedImage ofStored(Image image, ContentStore content) {
        String what = "manifest " + image.manifest();
        byte[] bytes = content.read(image.manifest(), Repository.DOCUMENT_LIMIT);
        ImageManifest manifest = ImageManifest.parse(bytes, what);
        byte[] config = content.read(image.id(), Repository.DOCUMENT_LIMIT);
        String name = image.names().isEmpty()
                ? "image/" + image.id().hex()
                : image.names().getFirst();
        return new ResolvedImage(
                Reference.parse(name),
                image.target(),
                new Descriptor(manifest.mediaType(), image.manifest(), bytes.length),
                manifest,
                ImageConfig.parse(config, "configuration " + image.id()),
                Optional.empty(),
                List.of());
    }

    @Override
    public Digest id() {
        return manifest.config().digest();
    }

    /// Compressed, all parts.
    long size() {
        long layers = manifest.layers().stream().mapToLong(Descriptor::size).sum();
        return manifestDescriptor.size() + manifest.config().size() + layers;
    }

    @Override
    public Image toImage(List<String> tags, List<String> all, boolean pinned, Instant now) {
        return new Image(
                id(),
                manifestDescriptor.digest(),
                target,
                tags,
                all,
                size(),
                config.diffIds(),
                now,
                pinned,
                config.config().user(),
                false);
    }
}
