package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentStoreTest {

    private static final byte[] SMALL = bytes(1000);
    private static final byte[] LARGE = bytes(300_000);

    @TempDir
    private Path directory;

    private MetadataStore store;
    private ContentStore content;

    @BeforeEach
    void open() {
        store = MetadataStore.open(directory.resolve("meta"), List.of());
        content = ContentStore.open(directory.resolve("content"), store);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void restart() {
        close();
        open();
    }

    @Test
    void givesBackWhatWasStoredAfterARestart() throws IOException {
        Digest child = Digest.of(SMALL);
        Blob small = put(SMALL, List.of());
        Blob large = put(LARGE, List.of(child));

        restart();

        assertThat(content.find(Digest.of(LARGE))).contains(large);
        assertThat(large.children()).containsExactly(child);
        assertThat(large.inline()).isFalse();
        assertThat(small.inline()).isTrue();
        assertThat(content.read(Digest.of(SMALL), 1000)).isEqualTo(SMALL);
        try (InputStream bytes = content.open(Digest.of(LARGE))) {
            assertThat(bytes.readAllBytes()).isEqualTo(LARGE);
        }
        assertThat(blobFiles()).containsExactly(Digest.of(LARGE).hex());
    }

    @Test
    void refusesToReadMoreThanTheLimit() {
        put(SMALL, List.of());

        assertThatThrownBy(() -> content.read(Digest.of(SMALL), 999)).isInstanceOf(StorageException.SizeMismatch.class);
    }

    @Test
    void resumesWhatWasCutOffByARestart() throws IOException {
        Ingest first = content.ingest(Digest.of(LARGE), LARGE.length);
        first.write(LARGE, 0, 200_000);
        // no close: the daemon was killed
        restart();

        try (Ingest second = content.ingest(Digest.of(LARGE), LARGE.length)) {
            assertThat(second.offset()).isEqualTo(200_000);
            try (InputStream kept = second.soFar()) {
                assertThat(kept.readAllBytes()).hasSize(200_000);
            }
            second.write(LARGE, 200_000, 100_000);
            second.commit(List.of(), Map.of());
        }
        assertThat(content.read(Digest.of(LARGE), LARGE.length)).isEqualTo(LARGE);
    }

    @Test
    void oneIngestPerDigestAtATime() {
        try (Ingest _ = content.ingest(Digest.of(LARGE), -1)) {
            assertThatThrownBy(() -> content.ingest(Digest.of(LARGE), -1)).isInstanceOf(StorageException.InUse.class);
            assertThatThrownBy(() -> content.remove(Digest.of(LARGE))).isInstanceOf(StorageException.InUse.class);
        }
        content.ingest(Digest.of(LARGE), -1).discard();
    }

    @Test
    void otherBytesAreRefusedAndGone() throws IOException {
        for (byte[] wrong : List.of(bytes(999), bytes(200_000))) {
            Ingest ingest = content.ingest(Digest.of(LARGE), -1);
            ingest.write(wrong, 0, wrong.length);
            assertThatThrownBy(() -> ingest.commit(List.of(), Map.of()))
                    .isInstanceOf(StorageException.DigestMismatch.class)
                    .hasMessage("blob %s has digest %s", Digest.of(LARGE), Digest.of(wrong));
        }

        assertThat(content.list()).isEmpty();
        assertThat(blobFiles()).isEmpty();
        try (Ingest again = content.ingest(Digest.of(LARGE), -1)) {
            assertThat(again.offset()).isZero();
        }
    }

    @Test
    void tooManyBytesAreRefusedAndTooFewAreKept() {
        Ingest more = content.ingest(Digest.of(LARGE), 100);
        assertThatThrownBy(() -> more.write(LARGE, 0, 101)).isInstanceOf(StorageException.SizeMismatch.class);

        Ingest less = content.ingest(Digest.of(LARGE), LARGE.length);
        less.write(LARGE, 0, 100_000);
        assertThatThrownBy(() -> less.commit(List.of(), Map.of())).isInstanceOf(StorageException.SizeMismatch.class);

        try (Ingest again = content.ingest(Digest.of(LARGE), LARGE.length)) {
            assertThat(again.offset()).isEqualTo(100_000);
            again.restart();
            assertThat(again.offset()).isZero();
        }
    }

    @Test
    void aBlobThatIsThereIsNotStoredAgain() {
        put(SMALL, List.of());

        assertThatThrownBy(() -> content.ingest(Digest.of(SMALL), -1))
                .isInstanceOf(StorageException.AlreadyExists.class);
        assertThat(content.put(SMALL, List.of(), Map.of()).digest()).isEqualTo(Digest.of(SMALL));
    }

    @Test
    void removesRowAndBytes() throws IOException {
        put(SMALL, List.of());
        put(LARGE, List.of());

        content.remove(Digest.of(SMALL));
        content.remove(Digest.of(LARGE));
        content.remove(Digest.of(LARGE));

        assertThat(content.list()).isEmpty();
        assertThat(blobFiles()).isEmpty();
        assertThat(store.blob(Digest.of(SMALL).toString())).isNull();
        assertThatThrownBy(() -> content.open(Digest.of(LARGE))).isInstanceOf(StorageException.NotFound.class);
    }

    @Test
    void aFileWithoutARowIsRemovedAtOpen() throws IOException {
        Files.write(
                directory
                        .resolve("content/blobs/sha256")
                        .resolve(Digest.of(LARGE).hex()),
                LARGE);

        restart();

        assertThat(blobFiles()).isEmpty();
    }

    @Test
    void aRowWhoseFileIsMissingOrShortIsDroppedAndTold() throws IOException {
        put(LARGE, List.of());
        byte[] other = bytes(100_000);
        put(other, List.of());
        Path blobs = directory.resolve("content/blobs/sha256");
        Files.delete(blobs.resolve(Digest.of(LARGE).hex()));
        Files.write(blobs.resolve(Digest.of(other).hex()), bytes(5));

        restart();

        assertThat(content.list()).isEmpty();
        assertThat(content.dropped())
                .map(SetAside::reason)
                .containsExactlyInAnyOrder("its file is missing", "its file has 5 bytes, not 100000");
        put(LARGE, List.of());
    }

    private Blob put(byte[] bytes, List<Digest> children) {
        try (Ingest ingest = content.ingest(Digest.of(bytes), bytes.length)) {
            for (int at = 0; at < bytes.length; at += 7000) {
                ingest.write(bytes, at, Math.min(7000, bytes.length - at));
            }
            return ingest.commit(children, Map.of("from", "a test"));
        }
    }

    private List<String> blobFiles() throws IOException {
        try (var files = Files.list(directory.resolve("content/blobs/sha256"))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    static byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }
}
