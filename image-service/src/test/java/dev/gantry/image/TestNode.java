package dev.gantry.image;

import dev.gantry.storage.ContentStore;
import dev.gantry.storage.GarbageCollector;
import dev.gantry.storage.LayerUsages;
import dev.gantry.storage.Leases;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.NativeSnapshotter;
import dev.gantry.storage.OverlaySnapshotter;
import dev.gantry.storage.Snapshotter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;

/// The stores of a node in a directory of the test, and its images.
final class TestNode implements AutoCloseable {

    final MetadataStore store;
    final ContentStore content;
    final Snapshotter overlay;
    final Snapshotter nativeSnapshotter;
    final LayerUsages layerUsages = new LayerUsages(Clock.systemUTC());
    final Leases leases;
    final Images images;
    final GarbageCollector garbage;
    final Path certs;

    TestNode(Path directory) throws IOException {
        this(directory, UnpackLimits.DEFAULT, ImageSettings.Verifiers.NONE);
    }

    TestNode(Path directory, UnpackLimits limits) throws IOException {
        this(directory, limits, ImageSettings.Verifiers.NONE);
    }

    TestNode(Path directory, ImageSettings.Verifiers verifiers) throws IOException {
        this(directory, UnpackLimits.DEFAULT, verifiers);
    }

    private TestNode(Path directory, UnpackLimits limits, ImageSettings.Verifiers verifiers) throws IOException {
        certs = Files.createDirectories(directory.resolve("certs.d"));
        store = MetadataStore.open(
                Files.createDirectories(directory.resolve("meta")),
                List.of(Image.KIND, ContentStore.KIND, Leases.KIND, OverlaySnapshotter.KIND, NativeSnapshotter.KIND));
        content = ContentStore.open(directory.resolve("content"), store);
        overlay = new OverlaySnapshotter(directory.resolve("overlay"), store);
        nativeSnapshotter = new NativeSnapshotter(directory.resolve("native"), store);
        leases = new Leases(store);
        ImageSettings settings = new ImageSettings(List.of(certs), 6, 2, Duration.ofSeconds(2), limits, verifiers);
        images = new Images(
                store,
                content,
                List.of(overlay, nativeSnapshotter),
                layerUsages,
                leases,
                settings,
                directory.resolve("scratch"));
        garbage = new GarbageCollector(
                store,
                content,
                List.of(overlay, nativeSnapshotter),
                leases,
                List.of(Images.roots(List.of(overlay.name(), nativeSnapshotter.name()))));
    }

    Image pull(String reference) {
        return images.pull(PullOptions.of(Reference.parse(reference), Credentials.NONE));
    }

    /// Where the files of the topmost layer of an image lie.
    Path topLayer(Image image) {
        return overlay.layerDirectory(image.chainId().toString());
    }

    @Override
    public void close() {
        images.close();
        layerUsages.close();
        store.close();
    }
}
