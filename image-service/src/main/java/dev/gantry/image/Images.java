package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.ImageConfig;
import dev.gantry.cri.oci.ImageManifest;
import dev.gantry.storage.Change;
import dev.gantry.storage.ContentStore;
import dev.gantry.storage.Durability;
import dev.gantry.storage.LayerUsages;
import dev.gantry.storage.Leases;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.Ref;
import dev.gantry.storage.RootSource;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.StorageException;
import dev.gantry.storage.Update;
import dev.gantry.storage.View;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The images of this node: looked up, pulled, imported, removed.
///
/// An image is visible when its documents and layers are verified and in the stores, its row is on the disk, and its
/// layers are unpacked for the snapshotter that was asked for. Lookups read the view and never wait. Thread-safe.
public final class Images implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Images.class);

    private static final Pattern ID_PREFIX = Pattern.compile("(sha256:)?([0-9a-f]{1,64})");
    private static final int ID_LENGTH = 64;

    private final MetadataStore store;
    private final ContentStore content;
    private final List<Snapshotter> snapshotters;
    private final Leases leases;
    private final Clock clock;
    private final Registries registries;
    private final ImageVerifiers verifiers;
    private final LayerPool layers;
    private final FsUsageCache usage;
    private final Path scratch;
    private final UnpackLimits limits;
    private final LayerSync sync;

    /// @param snapshotters the first is the default one
    /// @param scratch a directory for mount points and archives while they are unpacked
    public Images(
            MetadataStore store,
            ContentStore content,
            List<Snapshotter> snapshotters,
            LayerUsages layerUsages,
            Leases leases,
            ImageSettings settings,
            Path scratch) {
        this.store = store;
        this.content = content;
        this.snapshotters = List.copyOf(snapshotters);
        this.leases = leases;
        this.clock = Clock.systemUTC();
        this.registries = new Registries(settings.registryConfig(), settings.progressTimeout(), clock);
        this.verifiers = new ImageVerifiers(settings.verifiers());
        this.layers = new LayerPool(content, settings, scratch);
        this.scratch = scratch;
        this.limits = settings.limits();
        this.sync = new LayerSync(this.snapshotters);
        this.usage = new FsUsageCache(store, this.snapshotters, layerUsages, clock);
    }

    /// What images keep from being collected: their documents with all they name, and their snapshots.
    ///
    /// @param snapshotters the names of all snapshotters
    public static RootSource roots(List<String> snapshotters) {
        return view -> view.all(Image.KIND).stream()
                .flatMap(image -> Stream.concat(
                        Stream.of(new Ref.Content(image.target()), new Ref.Content(image.manifest())),
                        snapshotters.stream()
                                .map(name ->
                                        new Ref.Snapshot(name, image.chainId().toString()))));
    }

    /// Finds by tag, digest, id, or a prefix of an id that no other image has.
    ///
    /// @throws ImageException.Ambiguous if several ids begin so
    public Optional<Image> find(String reference) {
        return find(store.view(), reference);
    }

    static Optional<Image> find(View view, String reference) {
        Optional<Image> named = byName(view, reference);
        return named.isPresent() ? named : byIdPrefix(view, reference);
    }

    private static Optional<Image> byName(View view, String text) {
        try {
            Reference reference = Reference.parse(text);
            String name = reference
                    .digest()
                    .map(reference::withDigest)
                    .or(reference::tagged)
                    .orElseThrow();
            return view.findBy(Image.KIND, Image.BY_NAME, name);
        } catch (ImageException.InvalidReference _) {
            return Optional.empty(); // an id, or nothing
        }
    }

    private static Optional<Image> byIdPrefix(View view, String text) {
        var matcher = ID_PREFIX.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String hex = matcher.group(2);
        if (hex.length() == ID_LENGTH) {
            return view.find(Image.KIND, "sha256:" + hex);
        }
        List<Image> matches = view.withPrefix(Image.KIND, "sha256:" + hex);
        if (matches.size() > 1) {
            throw new ImageException.Ambiguous(text, matches.size());
        }
        return matches.stream().findFirst();
    }

    /// All images, in the order of their ids.
    public Collection<Image> list() {
        return store.view().all(Image.KIND);
    }

    /// @throws ImageException.NotRunnable for an artifact, which has none
    public ImageConfig config(Image image) {
        if (image.artifact()) {
            throw new ImageException.NotRunnable(image.id());
        }
        return ImageConfig.parse(configBytes(image), "configuration of image " + image.id());
    }

    /// The files of an artifact; an image has none that are known by name.
    public List<ArtifactFile> artifactFiles(Image image) {
        return image.artifact() ? ArtifactFile.of(manifest(image), image.id().toString()) : List.of();
    }

    /// Makes a file with the bytes of an artifact's in an existing directory, without writing them again where that can
    /// be. Nobody may write to it.
    public void place(ArtifactFile file, Path target) {
        content.place(file.blob().digest(), target);
    }

    private ImageManifest manifest(Image image) {
        return ImageManifest.parse(
                content.read(image.manifest(), Repository.DOCUMENT_LIMIT), "manifest " + image.manifest());
    }

    /// The configuration as it came; of an artifact, the manifest.
    public byte[] configBytes(Image image) {
        return content.read(image.id(), Repository.DOCUMENT_LIMIT);
    }

    /// Pulls an image, or sees that the node has what its name leads to now. Either way the image policy is asked, for
    /// it may have changed since. Blocks; interrupt the thread to give up.
    ///
    /// @throws ImageException or [StorageException] naming what failed; then nothing has become visible
    public Image pull(PullOptions options) {
        Snapshotter snapshotter = options.snapshotter().map(this::snapshotter).orElse(snapshotters.getFirst());
        Repository repository = registries.repository(options.reference(), options.credentials());
        try (PullLease lease = new PullLease(leases, options.reference().toString())) {
            RegistryPull pull = new RegistryPull(repository, content, options.platform(), lease, verifiers);
            Resolved resolved = pull.resolve();
            switch (resolved) {
                case ResolvedImage layered ->
                    layers.unpack(layered, snapshotter, lease, options.listener(), pull::download);
                case ResolvedArtifact artifact -> layers.fetch(artifact, lease, options.listener(), pull::download);
            }
            Image image = record(resolved, false);
            log.atInfo()
                    .addKeyValue("image", options.reference())
                    .addKeyValue("id", image.id())
                    .log("image pulled");
            return image;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new ImageException.Cancelled("pulling " + options.reference());
        }
    }

    /// Imports all images of an OCI image layout, a directory or a tar file of one, for this machine. Their names are
    /// the annotations
    /// `org.opencontainers.image.ref.name` (or `io.containerd.image.name`) of its index.
    public List<Image> importLayout(Path ociLayout, boolean pinned) {
        if (!Files.isRegularFile(ociLayout)) {
            return importDirectory(ociLayout, pinned);
        }
        try (LayoutArchive archive = LayoutArchive.unpack(ociLayout, scratch, limits)) {
            return importDirectory(archive.directory(), pinned);
        }
    }

    private List<Image> importDirectory(Path ociLayout, boolean pinned) {
        OciLayout layout = OciLayout.open(ociLayout);
        List<Image> images = new ArrayList<>();
        for (OciLayout.Entry entry : layout.entries()) {
            try (PullLease lease = new PullLease(leases, ociLayout.toString())) {
                Resolved resolved = layout.resolve(entry, content, lease);
                if (resolved instanceof ResolvedImage layered) {
                    layers.unpack(layered, snapshotters.getFirst(), lease, PullListener.NONE, Images::notStored);
                }
                images.add(record(resolved, pinned));
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                throw new ImageException.Cancelled("importing " + ociLayout);
            }
        }
        return images;
    }

    /// Makes the image visible: its tags and digests are its own from now on, and no other's.
    private Image record(Resolved resolved, boolean pinned) {
        sync.request();
        return store.update(view -> {
            Optional<Image> before = view.find(Image.KIND, resolved.id().toString());
            Image image = resolved.toImage(before, pinned, clock.instant());
            Change change = Change.empty();
            for (Image other : formerOwners(view, image)) {
                change = change.put(Image.KIND, other.without(image.names()));
            }
            return Update.of(change.put(Image.KIND, image), image);
        });
    }

    private static Set<Image> formerOwners(View view, Image image) {
        Set<Image> owners = new LinkedHashSet<>();
        for (String name : image.names()) {
            view.findBy(Image.KIND, Image.BY_NAME, name)
                    .filter(owner -> !owner.id().equals(image.id()))
                    .ifPresent(owners::add);
        }
        return owners;
    }

    /// Removes an image with all its names, whichever of them, its id or a prefix of that is given. That there is no
    /// such image is fine. Its files are gone after the next garbage collection, unless something else needs them.
    ///
    /// @return what was removed
    public Optional<Image> remove(String reference) {
        Optional<Image> removed = store.update(view -> {
            Optional<Image> image = find(view, reference);
            Change change = image.map(found ->
                            Change.empty().delete(Image.KIND, found.id().toString()))
                    .orElse(Change.empty());
            return new Update<>(change, image, change.isEmpty() ? Durability.BUFFERED : Durability.SYNCED);
        });
        removed.ifPresent(image -> log.atInfo()
                .addKeyValue("image", reference)
                .addKeyValue("id", image.id())
                .log("image removed"));
        return removed;
    }

    /// What images and containers take on the disk; at most some seconds old.
    public FsUsage usage() {
        return usage.get();
    }

    /// The snapshot to prepare a container's root file system from, which is unpacked from the content store if this
    /// snapshotter does not have it. Empty for an image without layers.
    public Optional<String> rootSnapshot(Image image, Snapshotter snapshotter) {
        if (image.diffIds().isEmpty()) {
            return Optional.empty();
        }
        String name = image.chainId().toString();
        if (!LayerUnpack.isCommitted(snapshotter, name)) {
            try (PullLease lease = new PullLease(leases, image.id().toString())) {
                ResolvedImage resolved = ResolvedImage.ofStored(image, content);
                layers.unpack(resolved, snapshotter, lease, PullListener.NONE, Images::notStored);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                throw new ImageException.Cancelled("unpacking image " + image.id());
            }
        }
        return Optional.of(name);
    }

    private static BlobDownload notStored(Descriptor layer) {
        throw new StorageException.NotFound("blob", layer.digest());
    }

    private Snapshotter snapshotter(String name) {
        return snapshotters.stream()
                .filter(snapshotter -> snapshotter.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new StorageException.NotFound("snapshotter", name));
    }

    /// Breaks off what is being transferred.
    @Override
    public void close() {
        registries.close();
        layers.close();
        sync.close();
    }
}
