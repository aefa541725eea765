package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.linux.FileSystems;
import dev.gantry.linux.HostFacts;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The mounts that the snapshotters answer, really mounted.
class OverlayMountIT {

    @TempDir
    private Path directory;

    private Path root;
    private MetadataStore store;

    @BeforeEach
    void open() throws IOException {
        Assumptions.assumeTrue(HostFacts.isRoot(), "only root can mount");
        Assumptions.assumeTrue(FileSystems.supportsOverlay(directory), "overlay does not work in " + directory);
        root = Files.createDirectory(directory.resolve("rootfs"));
        store = MetadataStore.open(directory.resolve("meta"), List.of());
    }

    @AfterEach
    void close() {
        Mounts.unmountTree(directory);
        if (store != null) {
            store.close();
        }
    }

    @Test
    void overlayShowsTheLayersAndIsMountedAgain() throws IOException {
        showsTheLayersAndIsMountedAgain(new OverlaySnapshotter(directory.resolve("overlay"), store));
    }

    @Test
    void nativeShowsTheLayersAndIsMountedAgain() throws IOException {
        showsTheLayersAndIsMountedAgain(new NativeSnapshotter(directory.resolve("native"), store));
    }

    @Test
    void overlayMountsAChainOf127Layers() throws IOException {
        Snapshotter snapshots = new OverlaySnapshotter(directory.resolve("overlay"), store);
        Optional<String> parent = Optional.empty();
        for (int i = 1; i <= 127; i++) {
            parent = Optional.of(layer(snapshots, "layer-" + i, parent));
        }

        mount(snapshots.prepare("c1", parent, Map.of()));

        assertThat(root.resolve("layer-1")).exists();
        assertThat(root.resolve("which")).hasContent("layer-127");
    }

    private void showsTheLayersAndIsMountedAgain(Snapshotter snapshots) throws IOException {
        layer(snapshots, "base", Optional.empty());
        layer(snapshots, "top", Optional.of("base"));

        mount(snapshots.prepare("c1", Optional.of("top"), Map.of()));
        assertThat(root.resolve("base")).exists();
        assertThat(root.resolve("which")).hasContent("top");
        Files.writeString(root.resolve("written"), "by a container");
        Mounts.unmount(root);
        mount(snapshots.mounts("c1"));
        assertThat(root.resolve("written")).hasContent("by a container");
        Mounts.unmount(root);

        mount(snapshots.view("v1", Optional.of("top")));
        assertThat(root.resolve("which")).hasContent("top");
        assertThat(root.resolve("written")).doesNotExist();
        Mounts.unmount(root);
        snapshots.remove("c1");
        snapshots.remove("v1");
        assertThat(snapshots.list()).hasSize(2);
    }

    private static String layer(Snapshotter snapshots, String name, Optional<String> parent) throws IOException {
        Path files = snapshots.prepareLayer("unpacking", parent);
        Files.writeString(files.resolve(name), name);
        Files.writeString(files.resolve("which"), name);
        snapshots.commitLayer(name, "unpacking", parent, Map.of());
        return name;
    }

    private void mount(List<Mount> mounts) {
        mounts.forEach(mount -> Mounts.mount(mount, root));
    }
}
