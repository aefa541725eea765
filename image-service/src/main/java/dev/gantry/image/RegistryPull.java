package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.ImageConfig;
import dev.gantry.cri.oci.ImageDocument;
import dev.gantry.cri.oci.ImageIndex;
import dev.gantry.cri.oci.ImageManifest;
import dev.gantry.cri.oci.MalformedDocumentException;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.cri.oci.Platform;
import dev.gantry.image.Repository.Document;
import dev.gantry.storage.ContentStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// Goes from a name to the documents of one image: index, manifest, configuration; each verified, put into the content
/// store and held by the lease. Nothing but the first document is fetched before the image policy has accepted it.
final class RegistryPull {

    private final Repository repository;
    private final Reference reference;
    private final ContentStore content;
    private final Platform platform;
    private final PullLease lease;
    private final ImageVerifiers verifiers;

    RegistryPull(
            Repository repository, ContentStore content, Platform platform, PullLease lease, ImageVerifiers verifiers) {
        this.repository = repository;
        this.reference = repository.reference();
        this.content = content;
        this.platform = platform;
        this.lease = lease;
        this.verifiers = verifiers;
    }

    /// @throws ImageException if there is no such image, none for the platform, its documents cannot be used, or it is
    ///     refused
    Resolved resolve() throws InterruptedException {
        Document target = repository.resolve();
        String what = "manifest %s of %s".formatted(target.digest(), reference);
        try {
            ImageDocument document = parse(target, what);
            verifiers.requireAccepted(
                    reference, new Descriptor(document.mediaType(), target.digest(), target.bytes().length));
            return switch (document) {
                case ImageManifest manifest -> resolve(target, target, manifest);
                case ImageIndex index -> {
                    Document chosen = choose(target, index);
                    String name = "manifest %s of %s".formatted(chosen.digest(), reference);
                    yield resolve(target, chosen, ImageManifest.parse(chosen.bytes(), name));
                }
            };
        } catch (MalformedDocumentException e) {
            throw new ImageException.BadContent(String.valueOf(e.getMessage()), e);
        }
    }

    private static ImageDocument parse(Document document, String what) {
        if (document.mediaType().equals(MediaTypes.DOCKER_SCHEMA_1)
                || document.mediaType().equals(MediaTypes.DOCKER_SCHEMA_1_SIGNED)) {
            throw new ImageException.BadContent(
                    what + " is of Docker's schema 1, which is out of use; push the image again");
        }
        ImageDocument parsed = ImageDocument.parse(document.bytes(), what);
        boolean known = MediaTypes.isIndex(document.mediaType()) || MediaTypes.isManifest(document.mediaType());
        if (known && !document.mediaType().equals(parsed.mediaType())) {
            throw new ImageException.BadContent(
                    "%s was sent as %s, but it is %s".formatted(what, document.mediaType(), parsed.mediaType()));
        }
        return parsed;
    }

    private Document choose(Document target, ImageIndex index) {
        Descriptor chosen = index.choose(platform).orElseThrow(() -> noPlatform(platformsOf(index)));
        Document manifest = repository.manifest(chosen);
        lease.hold(target.digest());
        PatientStore.put(content, target.bytes(), List.of(chosen.digest()));
        return manifest;
    }

    private Resolved resolve(Document target, Document document, ImageManifest manifest) {
        return MediaTypes.isConfig(manifest.config().mediaType())
                ? image(target, document, manifest)
                : artifact(target, document, manifest);
    }

    private ResolvedArtifact artifact(Document target, Document document, ImageManifest manifest) {
        Descriptor descriptor = new Descriptor(manifest.mediaType(), document.digest(), document.bytes().length);
        ResolvedArtifact artifact = new ResolvedArtifact(
                reference, target.digest(), descriptor, manifest, reference.tagged(), names(target, document));
        store(document, manifest);
        return artifact;
    }

    private ResolvedImage image(Document target, Document document, ImageManifest manifest) {
        ResolvedImage.requireLayers(manifest, reference.toString());
        ImageConfig config = config(manifest.config());
        if (!platform.runs(config.platform())) {
            throw noPlatform(List.of(config.platform().toString()));
        }
        store(document, manifest);
        return new ResolvedImage(
                reference,
                target.digest(),
                new Descriptor(manifest.mediaType(), document.digest(), document.bytes().length),
                manifest,
                config,
                reference.tagged(),
                names(target, document));
    }

    private void store(Document document, ImageManifest manifest) {
        List<Digest> children = new ArrayList<>();
        children.add(manifest.config().digest());
        manifest.layers().forEach(layer -> children.add(layer.digest()));
        lease.hold(document.digest());
        PatientStore.put(content, document.bytes(), children);
    }

    private List<String> names(Document target, Document document) {
        return Stream.of(target, document)
                .map(it -> reference.withDigest(it.digest()))
                .distinct()
                .toList();
    }

    private ImageConfig config(Descriptor descriptor) {
        lease.hold(descriptor.digest());
        byte[] bytes = content.find(descriptor.digest()).isPresent()
                ? content.read(descriptor.digest(), Repository.DOCUMENT_LIMIT)
                : repository.document(descriptor);
        ImageConfig config =
                ImageConfig.parse(bytes, "configuration %s of %s".formatted(descriptor.digest(), reference));
        PatientStore.put(content, bytes, List.of());
        return config;
    }

    /// The download of a layer, not begun.
    BlobDownload download(Descriptor layer) {
        return new BlobDownload(repository, layer, content);
    }

    private ImageException noPlatform(List<String> present) {
        return new ImageException.NoPlatform(reference.toString(), platform.toString(), present);
    }

    private static List<String> platformsOf(ImageIndex index) {
        return index.manifests().stream()
                .map(Descriptor::platform)
                .filter(Objects::nonNull)
                .map(Platform::toString)
                .distinct()
                .toList();
    }
}
