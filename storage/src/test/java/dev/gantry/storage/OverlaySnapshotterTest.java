package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.Mount;
import java.io.IOException;
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
