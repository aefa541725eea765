package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.oci.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GarbageCollectorTest {

    private static final byte[] LAYER = ContentStoreTest.bytes(100_000);
    private static final byte[] MANIFEST = ContentStoreTest.bytes(500);

    @TempDir
    private Path directory;

    private final List<Ref> roots = new ArrayList<>();
    private MetadataStore store;
    private ContentStore content;
    private Snapshotter snapshots;
    private Leases leases;
    private GarbageCollector collector;

    @BeforeEach
    void open() {
        store = MetadataStore.open(directory.resolve("meta"), List.of());
        content = ContentStore.open(directory.resolve("content"), store);
        snapshots = new OverlaySnapshotter(directory.resolve("snapshots"), store);
        leases = new Leases(store);
        collector = new GarbageCollector(
                store, content, List.of(snapshots), leases, List.of(_ -> List.copyOf(roots).stream()));
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void anImage() throws IOException {
        content.put(LAYER, List.of(), Map.of());
        content.put(MANIFEST, List.of(Digest.of(LAYER)), Map.of());
        for (String name : List.of("base", "top")) {
            Optional<String> parent = name.equals("top") ? Optional.of("base") : Optional.empty();
            Files.writeString(snapshots.prepareLayer("x", parent).resolve("f"), "y");
            snapshots.commitLayer(name, "x", parent, Map.of());
        }
    }

    @Test
    void keepsWhatRootsNeedAndRemovesTheRest() throws IOException {
        anImage();
        byte[] other = ContentStoreTest.bytes(70_000);
        content.put(other, List.of(), Map.of());
        snapshots.prepareLayer("left", Optional.empty());
        roots.add(new Ref.Content(Digest.of(MANIFEST)));
        roots.add(new Ref.Snapshot("overlayfs", "top"));

        Collected collected = collector.run();

        assertThat(collected.blobs()).isEqualTo(new Collected.Part(1, 70_000));
        assertThat(collected.snapshots().count()).isEqualTo(1);
        assertThat(content.list()).map(Blob::digest).containsExactlyInAnyOrder(Digest.of(LAYER), Digest.of(MANIFEST));
        assertThat(snapshots.list()).map(SnapshotInfo::key).containsExactly("base", "top");
    }

    @Test
    void removingTheRootFreesAllThatItAloneNeeded() throws IOException {
        anImage();
        roots.add(new Ref.Content(Digest.of(MANIFEST)));
        roots.add(new Ref.Snapshot("overlayfs", "top"));
        assertThat(collector.run().blobs().count()).isZero();

        roots.clear();
        Collected collected = collector.run();

        assertThat(collected.blobs().count()).isEqualTo(2);
        assertThat(collected.snapshots().count()).isEqualTo(2);
        assertThat(directory.resolve("content/blobs/sha256")).isEmptyDirectory();
        assertThat(directory.resolve("snapshots")).isEmptyDirectory();
    }

    @Test
    void aLeaseKeepsUntilItIsReleasedOverARestart() throws IOException {
        Lease lease = leases.create(Duration.ofHours(1), Map.of("for", "a pull"));
        leases.add(lease, new Ref.Content(Digest.of(MANIFEST)));
        leases.add(lease, new Ref.Snapshot("overlayfs", "top"));
        anImage();
        close();
        open();

        assertThat(collector.run().blobs().count()).isZero();
        assertThat(snapshots.list()).hasSize(2);
        leases.release(lease);
        assertThat(collector.run().blobs().count()).isEqualTo(2);
    }

    @Test
    void anExpiredLeaseIsDropped() throws IOException {
        Leases past = new Leases(store, Clock.fixed(Instant.now().minusSeconds(7200), ZoneOffset.UTC));
        Lease lease = past.create(Duration.ofHours(1), Map.of());
        past.add(lease, new Ref.Content(Digest.of(LAYER)));
        content.put(LAYER, List.of(), Map.of());

        Collected collected = collector.run();

        assertThat(collected.leases()).isEqualTo(1);
        assertThat(collected.blobs().count()).isEqualTo(1);
        assertThat(leases.list()).isEmpty();
    }

    @Test
    void whatIsMadeOrLeasedWhileItRunsIsKept() {
        content.put(LAYER, List.of(), Map.of());
        GarbageCollector racing =
                new GarbageCollector(store, content, List.of(snapshots), leases, List.of(new RootSource() {
                    private boolean called;

                    @Override
                    public Stream<Ref> roots(View view) {
                        if (!called) { // the first call is outside the writer's lock
                            called = true;
                            content.put(MANIFEST, List.of(), Map.of());
                            snapshots.prepare("new", Optional.empty(), Map.of());
                            Lease lease = leases.create(Duration.ofHours(1), Map.of());
                            leases.add(lease, new Ref.Content(Digest.of(LAYER)));
                        }
                        return Stream.empty();
                    }
                }));

        racing.run();

        assertThat(content.list()).hasSize(2);
        assertThat(snapshots.find("new")).isPresent();
    }

    @Test
    void doesNotTouchWhatIsBeingStored() {
        try (Ingest ingest = content.ingest(Digest.of(LAYER), -1)) {
            ingest.write(LAYER, 0, 90_000);
            collector.run();
            ingest.write(LAYER, 90_000, 10_000);
            ingest.commit(List.of(), Map.of());
        }
        assertThat(content.find(Digest.of(LAYER))).isPresent();
    }
}
