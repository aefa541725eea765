package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.oci.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Kills a process that works in a store, with SIGKILL at any moment, again and again on the same store.
class KilledStoreIT {

    private static final int ROUNDS = 8;

    @TempDir
    private Path directory;

    private final Set<String> removing = new HashSet<>();
    private final List<List<String>> promises = new ArrayList<>();

    @Test
    void keepsEveryPromiseAndNothingHalf() throws Exception {
        Random random = new Random(4711);
        for (int round = 0; round < ROUNDS; round++) {
            runAndKill(round, 20 + random.nextInt(400));
            check();
        }
        assertThat(promises).hasSizeGreaterThan(ROUNDS * 4);
    }

    private void runAndKill(int round, int millis) throws Exception {
        Path output = directory.resolve("promises");
        Process victim = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        StorageVictim.class.getName(),
                        directory.resolve("store").toString(),
                        Integer.toString(round))
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            while (victim.isAlive() && Files.size(output) == 0) {
                Thread.sleep(5); // the store is open and at work from here on
            }
            assertThat(victim.isAlive()).as("it works until it is killed").isTrue();
            Thread.sleep(millis);
        } finally {
            victim.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
        note(Files.readString(output));
    }

    private void note(String output) {
        String whole = output.substring(0, output.lastIndexOf('\n') + 1); // the last line may be cut off
        for (String line : whole.lines().toList()) {
            List<String> promise = List.of(line.split("\t", -1));
            promises.add(promise);
            if (promise.getFirst().equals("removing")) {
                removing.add(promise.get(1));
            }
        }
    }

    private void check() throws IOException {
        Path root = directory.resolve("store");
        try (MetadataStore store = MetadataStore.open(root.resolve("meta"), List.of(Pet.KIND))) {
            ContentStore content = ContentStore.open(root.resolve("content"), store);
            Snapshotter snapshots = new OverlaySnapshotter(root.resolve("snapshots"), store);
            assertThat(store.setAside()).isEmpty();
            assertThat(content.dropped()).isEmpty();
            for (List<String> promise : promises) {
                checkPromise(promise.get(0), promise.get(1), store.view(), content, snapshots);
            }
            for (Pet pet : store.view().all(Pet.KIND)) {
                String twin = pet.id().endsWith("a")
                        ? pet.id().replaceAll("a$", "b")
                        : pet.id().replaceAll("b$", "a");
                assertThat(store.view().find(Pet.KIND, twin))
                        .as("twin of %s", pet.id())
                        .isPresent();
            }
            checkFiles(root, content, snapshots);
        }
    }

    private void checkPromise(String what, String key, View view, ContentStore content, Snapshotter snapshots) {
        switch (what) {
            case "twins" -> assertThat(view.find(Pet.KIND, key + "a")).isPresent();
            case "blob" ->
                assertThat(Digest.of(content.read(Digest.parse(key), 1 << 20))).hasToString(key);
            case "layer" ->
                assertThat(snapshots.layerDirectory(key).resolve("file")).hasContent(key.replace("layer ", ""));
            case "container" -> {
                if (!removing.contains(key)) {
                    assertThat(snapshots.find(key)).isPresent();
                }
            }
            case "removing" -> {} // no promise yet
            case "removed" -> assertThat(snapshots.find(key)).isEmpty();
            default -> throw new AssertionError("unknown promise " + what);
        }
    }

    private static void checkFiles(Path root, ContentStore content, Snapshotter snapshots) throws IOException {
        snapshots.cleanUp();
        try (var directories = Files.list(root.resolve("snapshots"))) {
            assertThat(directories).hasSize(snapshots.list().size());
        }
        try (var files = Files.list(root.resolve("content/blobs/sha256"))) {
            assertThat(files.map(file -> file.getFileName().toString()).toList())
                    .containsExactlyInAnyOrderElementsOf(content.list().stream()
                            .filter(blob -> !blob.inline())
                            .map(blob -> blob.digest().hex())
                            .toList());
        }
    }
}
