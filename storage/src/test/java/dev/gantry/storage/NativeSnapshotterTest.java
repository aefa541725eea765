package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NativeSnapshotterTest extends SnapshotterContract {

    @Override
    Snapshotter open(Path root, MetadataStore metadata, String boot) {
        return new NativeSnapshotter(root, metadata, boot);
    }

    @Test
    void aCopyKeepsHardLinksModesAndLinks() throws IOException {
        Path files = snapshots.prepareLayer("l", Optional.empty());
        Files.writeString(files.resolve("one"), "x");
        Files.createLink(files.resolve("two"), files.resolve("one"));
        Files.createSymbolicLink(files.resolve("link"), Path.of("/nowhere"));
        Files.setAttribute(files.resolve("one"), "unix:mode", 04755);
        snapshots.commitLayer("base", "l", Optional.empty(), Map.of());

        snapshots.prepare("c1", Optional.of("base"), Map.of());

        Path copy = snapshots.upperDirectory("c1").orElseThrow();
        assertThat(Files.getAttribute(copy.resolve("one"), "unix:nlink")).isEqualTo(2);
        assertThat(Files.getAttribute(copy.resolve("two"), "unix:mode")).isEqualTo(0104755);
        assertThat(Files.readSymbolicLink(copy.resolve("link"))).isEqualTo(Path.of("/nowhere"));
        Files.writeString(copy.resolve("one"), "changed");
        assertThat(snapshots.layerDirectory("base").resolve("one")).hasContent("x");
    }

    @Test
    void aLayerNeedsItsParent() {
        assertThatThrownBy(() -> snapshots.prepareLayer("l", Optional.of("nothing")))
                .isInstanceOf(StorageException.NotFound.class);
        assertThat(snapshots.list()).isEmpty();
    }
}
