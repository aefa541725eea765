package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LayerUsagesTest {

    @TempDir
    private Path directory;

    private MetadataStore store;
    private Snapshotter snapshotter;
    private volatile Instant now = Instant.EPOCH;
    private LayerUsages usages;
    private Path files;

    @BeforeEach
    void prepare() {
        store = MetadataStore.open(directory.resolve("metadata"), List.of());
        snapshotter = new OverlaySnapshotter(directory.resolve("snapshots"), store);
        var _ = snapshotter.prepare("layer", Optional.empty(), Map.of());
        files = snapshotter.upperDirectory("layer").orElseThrow();
        usages = new LayerUsages(() -> now);
    }

    @AfterEach
    void close() {
        usages.close();
        store.close();
    }

    @Test
    void countsASmallLayerAtOnce() throws IOException {
        Files.write(files.resolve("file"), new byte[8192]);

        assertThat(usages.of(snapshotter, "layer")).hasValueSatisfying(it -> {
            assertThat(it.usage().bytes()).isGreaterThanOrEqualTo(8192);
            assertThat(it.usage().inodes()).isEqualTo(2);
            assertThat(it.at()).isEqualTo(now);
        });
    }

    @Test
    void keepsTheFigureForAWhileAndThenCountsBehindTheCaller() throws IOException, InterruptedException {
        var _ = usages.of(snapshotter, "layer");
        Files.write(files.resolve("file"), new byte[1]);

        assertThat(inodes()).contains(1L);
        now = now.plus(Duration.ofSeconds(11));

        assertThat(inodes()).contains(1L);
        assertThat(eventually(Optional.of(2L))).contains(2L);
    }

    @Test
    void nobodyWaitsForALargeLayer() throws IOException, InterruptedException {
        for (int i = 0; i < 1000; i++) {
            Files.createFile(files.resolve("file" + i));
        }

        assertThat(inodes()).isEqualTo(Optional.empty());
        assertThat(eventually(Optional.of(1001L))).contains(1001L);
    }

    @Test
    void knowsNothingOfLayersThatAreNotThere() {
        assertThat(usages.of(snapshotter, "other")).isEqualTo(Optional.empty());
    }

    @Test
    void forgetsALayerThatWasRemoved() throws InterruptedException {
        assertThat(inodes()).contains(1L);
        snapshotter.remove("layer");
        now = now.plus(Duration.ofSeconds(11));

        assertThat(eventually(Optional.empty())).isEqualTo(Optional.empty());
    }

    /// The figure as soon as it is the wanted one, at the latest after half a minute.
    private Optional<Long> eventually(Optional<Long> wanted) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        Optional<Long> seen = inodes();
        while (!seen.equals(wanted) && System.nanoTime() < end) {
            TimeUnit.MILLISECONDS.sleep(10);
            seen = inodes();
        }
        return seen;
    }

    private Optional<Long> inodes() {
        return usages.of(snapshotter, "layer").map(it -> it.usage().inodes());
    }
}
