package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Digest;
import dev.gantry.linux.HostFacts;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A file system of 24 MB, or of 64 where space is kept for a full disk, that is really full.
class FullDiskIT {

    @TempDir
    private Path directory;

    private Path disk;

    @BeforeEach
    void mount() throws IOException {
        Assumptions.assumeTrue(HostFacts.isRoot(), "only root can mount a small disk");
        disk = Files.createDirectory(directory.resolve("disk"));
        Mounts.mount(new Mount("tmpfs", "tmpfs", Path.of(""), List.of("size=24m")), disk);
    }

    @AfterEach
    void unmount() {
        if (disk != null) {
            Mounts.unmount(disk);
        }
    }

    @Test
    void aBlobThatDoesNotFitLeavesNothingBehind() throws IOException {
        byte[] large = ContentStoreTest.bytes(32 << 20);
        byte[] fits = ContentStoreTest.bytes(4 << 20);
        try (MetadataStore store = MetadataStore.open(disk.resolve("meta"), List.of())) {
            ContentStore content = ContentStore.open(disk.resolve("content"), store);

            assertThatThrownBy(() -> content.put(large, List.of(), Map.of()))
                    .isInstanceOf(StorageException.NoSpace.class)
                    .hasMessage("cannot store blob %s: no space left on device", Digest.of(large));

            assertThat(disk.resolve("content/ingest")).isEmptyDirectory();
            assertThat(content.put(fits, List.of(), Map.of()).size()).isEqualTo(fits.length);
        }
    }

    @Test
    void aCopyThatDoesNotFitLeavesNothingBehind() throws IOException {
        try (MetadataStore store = MetadataStore.open(disk.resolve("meta"), List.of())) {
            Snapshotter snapshots = new NativeSnapshotter(disk.resolve("snapshots"), store);
            Files.write(
                    snapshots.prepareLayer("l", Optional.empty()).resolve("file"), ContentStoreTest.bytes(14 << 20));
            snapshots.commitLayer("base", "l", Optional.empty(), Map.of());

            assertThatThrownBy(() -> snapshots.prepare("c1", Optional.of("base"), Map.of()))
                    .isInstanceOf(StorageException.NoSpace.class)
                    .hasMessage("cannot make snapshot c1: no space left on device");

            assertThat(snapshots.list()).map(SnapshotInfo::key).containsExactly("base");
            assertThat(snapshots.cleanUp()).isZero();
        }
    }

    /// With a little room, RocksDB's log still fits and its tables do not: it would then hold a writer until there is
    /// space.
    @ParameterizedTest
    @ValueSource(ints = {0, 1_000_000, 2_600_000, 2_800_000, 3_000_000, 3_500_000, 5_000_000})
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void metadataGoesOnWhenThereIsSpaceAgain(int room) throws IOException {
        Pet first = new Pet("first", "first", 1);
        Path ballast = disk.resolve("ballast");
        try (MetadataStore store = MetadataStore.open(disk.resolve("meta"), List.of(Pet.KIND))) {
            store.commit(Change.empty().put(Pet.KIND, first));
            fill(ballast, room);
            for (int round = 0; round < 2; round++) { // the second begins with a store that has failed before
                assertThatThrownBy(() -> commitUntilFull(store)).isInstanceOf(StorageException.NoSpace.class);
                assertThat(store.view().find(Pet.KIND, "first")).contains(first);
            }

            Files.delete(ballast);
            store.commit(Change.empty().put(Pet.KIND, new Pet("after", "after", 1)));
            assertThat(store.view().find(Pet.KIND, "after")).isPresent();
        }
        try (MetadataStore store = MetadataStore.open(disk.resolve("meta"), List.of(Pet.KIND))) {
            assertThat(store.view().find(Pet.KIND, "first")).contains(first);
            assertThat(store.view().find(Pet.KIND, "after")).isPresent();
        }
    }

    /// Or nobody could remove anything, least of all after a restart.
    @Test
    void removalsAndAnOpeningHaveSpaceOfTheirOwn() throws IOException {
        Mounts.unmount(disk);
        Mounts.mount(new Mount("tmpfs", "tmpfs", Path.of(""), List.of("size=64m")), disk);
        Path ballast = disk.resolve("ballast");
        Pet old = new Pet("old", "old", 1);
        Pet other = new Pet("other", "other", 1);
        Path reserve = disk.resolve("meta/reserve");
        try (MetadataStore store = MetadataStore.open(disk.resolve("meta"), List.of(Pet.KIND))) {
            store.commit(Change.empty().put(Pet.KIND, old).put(Pet.KIND, other));
            fill(ballast, 0);
            assertThatThrownBy(() -> commitUntilFull(store)).isInstanceOf(StorageException.NoSpace.class);
            assertThatThrownBy(() -> commitUntilFull(store)).isInstanceOf(StorageException.NoSpace.class);
            assertThat(reserve).hasSize(Reserve.BYTES);

            store.commit(Change.empty().delete(Pet.KIND, "old"));
            for (int i = 0; i < 40; i++) { // what the log had room for is used up by these
                store.commit(Change.empty().put(Pet.KIND, new Pet("other", "x".repeat(1 << 16), i)));
            }

            assertThat(store.view().find(Pet.KIND, "old")).isEmpty();
            assertThat(Files.size(reserve)).as("some of it is used").isBetween(1L, Reserve.BYTES - 1L);
            Files.delete(ballast);
            store.keepReserve();
            assertThat(reserve).hasSize(Reserve.BYTES);
        }
        fill(ballast, 0);
        try (MetadataStore store = MetadataStore.open(disk.resolve("meta"), List.of(Pet.KIND))) {
            fill(ballast, 0);
            assertThat(store.view().find(Pet.KIND, "old")).isEmpty();
            assertThat(store.view().find(Pet.KIND, "other").orElseThrow().age()).isEqualTo(39);
            store.commit(Change.empty().delete(Pet.KIND, "other"));
        }
    }

    private static void commitUntilFull(MetadataStore store) {
        for (int i = 0; i < 500; i++) {
            String id = i + "x".repeat(1 << 16);
            store.commit(Change.empty().put(Pet.KIND, new Pet(id, id, 1)));
        }
    }

    private static void fill(Path file, int room) throws IOException {
        try (var out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            byte[] page = new byte[4096];
            while (Files.getFileStore(file).getUsableSpace() > room) {
                out.write(page);
            }
        }
    }
}
