package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.linux.HostFacts;
import dev.gantry.linux.IdMapping;
import dev.gantry.linux.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OverlaySnapshotterTest extends SnapshotterContract {

    @Override
    Snapshotter open(Path root, MetadataStore metadata, String boot) {
        return new OverlaySnapshotter(root, metadata, boot);
    }

    @Test
    void theNearestParentIsTheFirstLowerDirectory() throws IOException {
        layer("a", Optional.empty(), "a");
        layer("b", Optional.of("a"), "b");

        Mount mount = snapshots.prepare("c1", Optional.of("b"), Map.of()).getFirst();

        Path root = directory.resolve("snapshots");
        assertThat(mount.type()).isEqualTo("overlay");
        assertThat(mount.options())
                .contains(
                        "lowerdir=%1$s/2/fs:%1$s/1/fs".formatted(root),
                        "upperdir=%s/3/fs".formatted(root),
                        "workdir=%s/3/work".formatted(root));
    }

    @Test
    void aViewHasNoUpperDirectory() throws IOException {
        layer("a", Optional.empty(), "a");
        layer("b", Optional.of("a"), "b");

        assertThat(snapshots.view("v1", Optional.of("a")).getFirst().options()).containsExactly("rbind", "ro");
        assertThat(snapshots.view("v2", Optional.of("b")).getFirst().options())
                .noneMatch(option -> option.startsWith("upperdir") || option.equals("volatile"));
    }

    @Test
    void aPodWithIdsOfItsOwnSeesTheLayersThroughItsMountAndOwnsWhatItWrites() throws IOException {
        assumeTrue(HostFacts.isRoot(), "only root gives files away");
        layer("a", Optional.empty(), "a");
        Files.setAttribute(snapshots.layerDirectory("a"), "unix:gid", 5);
        layer("b", Optional.of("a"), "b");
        Files.setAttribute(snapshots.layerDirectory("b"), "unix:gid", 5);
        Optional<IdShift> shift = Optional.of(
                new IdShift(Path.of("/shifted"), new IdMapping(0, 100000, 1000), new IdMapping(0, 200000, 1000)));

        Mount mount = snapshots.prepare("c1", Optional.of("b"), Map.of(), shift).getFirst();

        Path root = directory.resolve("snapshots");
        assertThat(mount.options())
                .contains("lowerdir=/shifted/2/fs:/shifted/1/fs", "upperdir=%s/3/fs".formatted(root));
        assertThat(Files.readAttributes(root.resolve("3/fs"), "unix:uid,gid"))
                .containsEntry("uid", 100000)
                .containsEntry("gid", 200005);
        assertThat(snapshots.mounts("c1", shift)).containsExactly(mount);
        assertThat(snapshots.view("v1", Optional.of("a"), shift).getFirst().source())
                .isEqualTo("/shifted/1/fs");
    }

    @Test
    void anIdThatThePodDoesNotHaveBecomesItsRoots() {
        IdMapping mapping = new IdMapping(0, 100000, 1000);

        assertThat(IdShift.shift(mapping, 999)).isEqualTo(100999);
        assertThat(IdShift.shift(mapping, 1000)).isEqualTo(100000);
    }

    @Test
    void layersNeedNoParentWhileTheyAreUnpacked() throws IOException {
        Path late = snapshots.prepareLayer("late", Optional.of("not there yet"));
        layer("base", Optional.empty(), "a");

        snapshots.commitLayer("top", "late", Optional.of("base"), Map.of());

        assertThat(snapshots.layerDirectory("top")).isEqualTo(late);
        assertThat(snapshots.chain("top")).isEqualTo(List.of("top", "base"));
    }

    @Test
    void refusesARootThatOverlayCannotName() {
        assertThatThrownBy(() -> open(directory.resolve("a:b"), store, "boot-1"))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
