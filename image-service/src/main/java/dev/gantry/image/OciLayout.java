package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.ImageConfig;
import dev.gantry.cri.oci.ImageDocument;
import dev.gantry.cri.oci.ImageIndex;
import dev.gantry.cri.oci.ImageManifest;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.cri.oci.Platform;
import dev.gantry.storage.ContentStore;
import dev.gantry.storage.Ingest;
import dev.gantry.storage.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// A directory of images
/// ([image-spec](https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md)): `oci-layout`, `index.json`
/// and `blobs/sha256/…`. Everything is verified on its way into the content store.
final class OciLayout {

    private static final String CONTAINERD_NAME = "io.containerd.image.name";
    private static final String REFERENCE_NAME = "org.opencontainers.image.ref.name";

    private final Path directory;
    private final ImageIndex index;

    /// An image of the layout; without a name it is found by its id alone.
    record Entry(Descriptor descriptor, Optional<Reference> name) {}

    private OciLayout(Path directory, ImageIndex index) {
        this.directory = directory;
        this.index = index;
    }

    /// @throws ImageException.BadContent if it is no layout
    static OciLayout open(Path directory) {
        if (!Files.isRegularFile(directory.resolve("oci-layout"))) {
            throw new ImageException.BadContent(
                    "%s is not an OCI image layout: it has no file oci-layout".formatted(directory));
        }
        Path file = directory.resolve("index.json");
        return new OciLayout(directory, ImageIndex.parse(readAll(file), file.toString()));
    }

    List<Entry> entries() {
        return index.manifests().stream()
                .map(descriptor -> new Entry(descriptor, nameOf(descriptor)))
                .toList();
    }

    private static Optional<Reference> nameOf(Descriptor descriptor) {
        Map<String, String> annotations = descriptor.annotations();
        return Optional.ofNullable(annotations.get(CONTAINERD_NAME))
                .or(() -> Optional.ofNullable(annotations.get(REFERENCE_NAME)))
                .map(Reference::parse);
    }

    /// Puts the documents and the layers of an image into the content store.
    Resolved resolve(Entry entry, ContentStore content, PullLease lease) {
        Descriptor target = entry.descriptor();
        String what = "manifest %s in %s".formatted(target.digest(), directory);
        byte[] bytes = read(target);
        ImageDocument document = ImageDocument.parse(bytes, what);
        if (document instanceof ImageIndex platforms) {
            Descriptor chosen = platforms
                    .choose(Platform.host())
                    .orElseThrow(() -> new ImageException.NoPlatform(
                            what,
                            Platform.host().toString(),
                            platforms.manifests().stream()
                                    .map(Descriptor::platform)
                                    .filter(Objects::nonNull)
                                    .map(Platform::toString)
                                    .toList()));
            lease.hold(target.digest());
            PatientStore.put(content, bytes, List.of(chosen.digest()));
            return resolve(entry, chosen, content, lease);
        }
        return resolve(entry, target, content, lease);
    }

    private Resolved resolve(Entry entry, Descriptor descriptor, ContentStore content, PullLease lease) {
        byte[] bytes = read(descriptor);
        String what = "manifest %s in %s".formatted(descriptor.digest(), directory);
        ImageManifest manifest = ImageManifest.parse(bytes, what);
        Descriptor exact = new Descriptor(manifest.mediaType(), descriptor.digest(), bytes.length);
        Digest target = entry.descriptor().digest();
        Optional<String> tag = entry.name().flatMap(Reference::tagged);
        List<String> digests =
                entry.name().map(name -> name.withDigest(target)).stream().toList();
        if (!MediaTypes.isConfig(manifest.config().mediaType())) {
            ResolvedArtifact artifact =
                    new ResolvedArtifact(nameOr(entry, exact), target, exact, manifest, tag, digests);
            store(exact, bytes, manifest, content, lease);
            artifact.blobs().forEach(blob -> copy(blob, content));
            return artifact;
        }
        ResolvedImage.requireLayers(manifest, what);
        byte[] config = read(manifest.config());
        store(exact, bytes, manifest, content, lease);
        PatientStore.put(content, config, List.of());
        manifest.layers().forEach(layer -> copy(layer, content));
        return new ResolvedImage(
                nameOr(entry, manifest.config()),
                target,
                exact,
                manifest,
                ImageConfig.parse(config, "configuration " + manifest.config().digest()),
                tag,
                digests);
    }

    /// What has no name is called by its id in messages.
    private static Reference nameOr(Entry entry, Descriptor id) {
        return entry.name()
                .orElseGet(() -> Reference.parse("image/" + id.digest().hex()));
    }

    private static void store(
            Descriptor descriptor, byte[] bytes, ImageManifest manifest, ContentStore content, PullLease lease) {
        List<Digest> children = new ArrayList<>();
        children.add(manifest.config().digest());
        manifest.layers().forEach(layer -> children.add(layer.digest()));
        lease.hold(descriptor.digest());
        PatientStore.put(content, bytes, children);
    }

    private void copy(Descriptor layer, ContentStore content) {
        Path file = file(layer);
        try (Ingest ingest = PatientStore.ingest(content, layer.digest(), layer.size());
                InputStream in = Files.newInputStream(file)) {
            ingest.restart();
            byte[] buffer = new byte[64 * 1024];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                ingest.write(buffer, 0, count);
            }
            ingest.commit(List.of(), Map.of());
        } catch (StorageException.AlreadyExists _) {
            return; // of another image
        } catch (StorageException.DigestMismatch | StorageException.SizeMismatch e) {
            throw new ImageException.BadContent(
                    "%s is not what the layout says: %s".formatted(file, e.getMessage()), e);
        } catch (IOException e) {
            throw new ImageException.LocalFailure("cannot read " + file, e);
        }
    }

    private byte[] read(Descriptor descriptor) {
        Path file = file(descriptor);
        byte[] bytes = readAll(file);
        if (bytes.length != descriptor.size() || !Digest.of(bytes).equals(descriptor.digest())) {
            throw new ImageException.BadContent(
                    "%s is not what the layout says: its digest or size is wrong".formatted(file));
        }
        return bytes;
    }

    private Path file(Descriptor descriptor) {
        return directory
                .resolve("blobs")
                .resolve("sha256")
                .resolve(descriptor.digest().hex());
    }

    private static byte[] readAll(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(Repository.DOCUMENT_LIMIT + 1);
            if (bytes.length > Repository.DOCUMENT_LIMIT) {
                throw new ImageException.BadContent("%s is too large for a document".formatted(file));
            }
            return bytes;
        } catch (IOException e) {
            throw new ImageException.LocalFailure("cannot read " + file, e);
        }
    }
}
