package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What every snapshotter does, whatever its files look like.
abstract class SnapshotterContract {

    private static final Optional<String> NO_PARENT = Optional.empty();

    @TempDir
    Path directory;

    MetadataStore store;
    Snapshotter snapshots;

    abstract Snapshotter open(Path root, MetadataStore metadata, String boot);

    @BeforeEach
    void open() {
        open("boot-1");
    }

    private void open(String boot) {
        store = MetadataStore.open(directory.resolve("meta"), List.of());
        snapshots = open(directory.resolve("snapshots"), store, boot);
    }

    @AfterEach
    void close() {
        store.close();
    }

    void restart(String boot) {
        close();
        open(boot);
    }

    void layer(String name, Optional<String> parent, String file) throws IOException {
        Path files = snapshots.prepareLayer("unpacking " + name, parent);
        Files.writeString(files.resolve(file), name);
        snapshots.commitLayer(name, "unpacking " + name, parent, Map.of("layer", name));
    }

    @Test
    void keepsLayersWithTheirParentsLabelsAndUsageOverARestart() throws IOException {
        layer("base", NO_PARENT, "a");
        layer("top", Optional.of("base"), "b");

        restart("boot-1");

        SnapshotInfo top = snapshots.find("top").orElseThrow();
        assertThat(top.parent()).contains("base");
        assertThat(top.state()).isEqualTo(SnapshotState.COMMITTED);
        assertThat(top.labels()).containsExactly(Map.entry("layer", "top"));
        assertThat(top.usage().inodes()).isGreaterThanOrEqualTo(2);
        assertThat(snapshots.usage("top")).isEqualTo(top.usage());
        assertThat(snapshots.chain("top")).containsExactly("top", "base");
        assertThat(snapshots.layerDirectory("top").resolve("b")).hasContent("top");
        assertThat(snapshots.list()).map(SnapshotInfo::key).containsExactly("base", "top");
    }

    @Test
    void preparesAndCommitsAContainersSnapshot() throws IOException {
        layer("base", NO_PARENT, "a");

        assertThat(snapshots.prepare("c1", Optional.of("base"), Map.of("k", "v")))
                .hasSize(1);
        Path upper = snapshots.upperDirectory("c1").orElseThrow();
        Files.write(upper.resolve("log"), new byte[100_000]);
        assertThat(snapshots.usage("c1").bytes()).isGreaterThanOrEqualTo(100_000);
        snapshots.commit("saved", "c1", Map.of());

        assertThat(snapshots.find("c1")).isEmpty();
        assertThat(snapshots.find("saved").orElseThrow().parent()).contains("base");
        assertThat(snapshots.find("saved").orElseThrow().usage().bytes()).isGreaterThanOrEqualTo(100_000);
        assertThat(snapshots.upperDirectory("saved")).isEmpty();
    }

    @Test
    void refusesTakenAndUnknownNamesAndWrongStates() throws IOException {
        layer("base", NO_PARENT, "a");
        snapshots.prepare("c1", Optional.of("base"), Map.of());
        snapshots.view("v1", Optional.of("base"));

        assertThatThrownBy(() -> snapshots.prepare("c1", NO_PARENT, Map.of()))
                .isInstanceOf(StorageException.AlreadyExists.class);
        assertThatThrownBy(() -> snapshots.commit("base", "c1", Map.of()))
                .isInstanceOf(StorageException.AlreadyExists.class);
        assertThatThrownBy(() -> snapshots.prepare("c2", Optional.of("nothing"), Map.of()))
                .isInstanceOf(StorageException.NotFound.class)
                .hasMessage("snapshot nothing not found");
        assertThatThrownBy(() -> snapshots.prepare("c2", Optional.of("c1"), Map.of()))
                .isInstanceOf(StorageException.WrongState.class);
        assertThatThrownBy(() -> snapshots.commit("x", "v1", Map.of())).isInstanceOf(StorageException.WrongState.class);
        assertThatThrownBy(() -> snapshots.mounts("base")).isInstanceOf(StorageException.WrongState.class);
        assertThatThrownBy(() -> snapshots.mounts("nothing")).isInstanceOf(StorageException.NotFound.class);
        assertThatThrownBy(() -> snapshots.layerDirectory("c1")).isInstanceOf(StorageException.WrongState.class);
        assertThat(snapshots.find("c2")).isEmpty();
    }

    @Test
    void removesChildrenBeforeParentsAndAbsentOnesAtOnce() throws IOException {
        layer("base", NO_PARENT, "a");
        snapshots.prepare("c1", Optional.of("base"), Map.of());

        assertThatThrownBy(() -> snapshots.remove("base"))
                .isInstanceOf(StorageException.InUse.class)
                .hasMessage("snapshot base is in use: it is the parent of c1");
        snapshots.remove("c1");
        snapshots.remove("base");
        snapshots.remove("base");

        assertThat(snapshots.list()).isEmpty();
        assertThat(directories()).isEmpty();
    }

    @Test
    void aLayerThatWasCutOffBeginsAnew() throws IOException {
        Files.writeString(snapshots.prepareLayer("half", NO_PARENT).resolve("old"), "x");
        restart("boot-1");

        Path files = snapshots.prepareLayer("half", NO_PARENT);

        assertThat(files).isEmptyDirectory();
        assertThat(directories()).hasSize(1);
    }

    @Test
    void whoCommitsALayerSecondIsRefused() throws IOException {
        snapshots.prepareLayer("second", NO_PARENT);
        layer("base", NO_PARENT, "a");

        assertThatThrownBy(() -> snapshots.commitLayer("base", "second", NO_PARENT, Map.of()))
                .isInstanceOf(StorageException.AlreadyExists.class);
        snapshots.remove("second");
        assertThat(directories()).hasSize(1);
    }

    @Test
    void removesDirectoriesWithoutARowAndRowsWithoutADirectory() throws IOException {
        layer("base", NO_PARENT, "a");
        Path lost = snapshots.layerDirectory("base");
        Files.createDirectories(directory.resolve("snapshots/77/fs/deep"));
        Files.delete(lost.resolve("a"));
        Files.delete(lost);

        restart("boot-1");

        assertThat(snapshots.list()).isEmpty();
        assertThat(snapshots.cleanUp()).isEqualTo(2);
        assertThat(directories()).isEmpty();
    }

    @Test
    void layersThatMayNotHaveReachedTheDiskAreDroppedAfterAReboot() throws IOException {
        layer("synced", NO_PARENT, "a");
        snapshots.sync();
        layer("unsynced", Optional.of("synced"), "b");

        restart("boot-1");
        assertThat(snapshots.list()).hasSize(2);
        restart("boot-2");

        assertThat(snapshots.list()).map(SnapshotInfo::key).containsExactly("synced");
        snapshots.cleanUp();
        assertThat(directories()).hasSize(1);
    }

    @Test
    void aParentsRootDirectoryLendsItsModeAndOwner() throws IOException {
        Path files = snapshots.prepareLayer("l", NO_PARENT);
        Files.setAttribute(files, "unix:mode", 0751);
        snapshots.commitLayer("base", "l", NO_PARENT, Map.of());

        snapshots.prepare("c1", Optional.of("base"), Map.of());

        assertThat(Files.getAttribute(snapshots.upperDirectory("c1").orElseThrow(), "unix:mode"))
                .isEqualTo(040751);
    }

    List<Path> directories() throws IOException {
        try (var entries = Files.list(directory.resolve("snapshots"))) {
            return entries.toList();
        }
    }
}
