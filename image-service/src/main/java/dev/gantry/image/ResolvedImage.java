package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.ImageConfig;
import dev.gantry.cri.oci.ImageManifest;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.storage.ContentStore;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
        List<String> digests) {

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

    /// Refuses what is a manifest but not of an image that can be run, before anything large is fetched.
    static void requireRunnable(ImageManifest manifest, String what) {
        if (!MediaTypes.isConfig(manifest.config().mediaType())) {
            throw new ImageException.BadContent("%s is no image that can be run: its configuration is of type '%s'"
                    .formatted(what, manifest.config().mediaType()));
        }
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

    Digest id() {
        return manifest.config().digest();
    }

    /// Compressed, all parts.
    long size() {
        long layers = manifest.layers().stream().mapToLong(Descriptor::size).sum();
        return manifestDescriptor.size() + manifest.config().size() + layers;
    }

    /// The row: with the names it had, and those it has come by now.
    Image toImage(Optional<Image> before, boolean pinned, Instant now) {
        Set<String> tags = new LinkedHashSet<>(before.map(Image::tags).orElse(List.of()));
        tag.ifPresent(tags::add);
        Set<String> all = new LinkedHashSet<>(before.map(Image::digests).orElse(List.of()));
        all.addAll(digests);
        return new Image(
                id(),
                manifestDescriptor.digest(),
                target,
                List.copyOf(tags),
                List.copyOf(all),
                size(),
                config.diffIds(),
                now,
                pinned || before.map(Image::pinned).orElse(false),
                config.config().user());
    }
}
