package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.ImageIndex;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.cri.oci.Platform;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagesIT {

    private static final TestLayer.Packed BASE =
            new TestLayer().file("base", noise(1)).gzip();
    private static final TestImage ONE =
            TestImage.of(BASE, new TestLayer().file("one", noise(2)).gzip());
    private static final TestImage TWO =
            TestImage.of(BASE, new TestLayer().file("two", noise(3)).gzip());

    @TempDir
    private Path directory;

    private FakeRegistry registry;
    private TestNode node;

    private static String noise(int seed) {
        byte[] bytes = new byte[200_000];
        new Random(seed).nextBytes(bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    @BeforeEach
    void start() throws IOException {
        registry = new FakeRegistry();
        node = new TestNode(directory.resolve("node"));
        registry.add("1", ONE);
        registry.add("2", TWO);
    }

    @AfterEach
    void stop() {
        node.close();
        registry.close();
    }

    private String name(String suffix) {
        return registry.host() + "/a/b" + suffix;
    }

    @Test
    void findsByEachNameAndIdAndPrefix() {
        registry.manifest("i", MediaTypes.OCI_INDEX, TestImage.index(ONE.descriptor(Platform.host())));

        Image image = node.pull(name(":i"));

        String hex = image.id().hex();
        List<String> names = List.of(
                name(":i"),
                name("@" + image.target()),
                name("@" + ONE.digest()),
                name(":whatever@" + ONE.digest()),
                "sha256:" + hex,
                hex,
                hex.substring(0, 10),
                "sha256:" + hex.substring(0, 10));
        assertThat(names).allSatisfy(name -> assertThat(node.images.find(name)).contains(image));
        assertThat(node.images.find("nothing")).isEmpty();
        assertThat(node.images.find("")).isEmpty();
        assertThat(node.images.find("no such name!")).isEmpty();
        assertThat(image.target()).isNotEqualTo(image.manifest());
    }

    @Test
    void refusesAPrefixOfSeveralIds() {
        for (int i = 0; i < 20; i++) { // there are 16 first digits
            registry.add("n", TestImage.of("user" + i, List.of(BASE), false));
            node.pull(name(":n"));
        }

        assertThatThrownBy(() -> {
                    for (int digit = 0; digit < 16; digit++) {
                        node.images.find("sha256:" + Integer.toHexString(digit));
                    }
                })
                .isInstanceOf(ImageException.Ambiguous.class);
    }

    @Test
    void movesATagToTheImageThatHasItNow() {
        Image before = node.pull(name(":1"));
        registry.add("1", TWO);

        Image after = node.pull(name(":1"));

        assertThat(after.id()).isEqualTo(TWO.id());
        assertThat(after.tags()).containsExactly(name(":1"));
        Image old = node.images.find(before.id().toString()).orElseThrow();
        assertThat(old.tags()).isEmpty();
        assertThat(old.digests()).containsExactly(name("@" + ONE.digest()));
    }

    @Test
    void givesAllNamesToOneImageAndRemovesThemTogether() {
        registry.add("other", ONE);
        node.pull(name(":1"));
        Image image = node.pull(name(":other"));
        assertThat(image.tags()).containsExactlyInAnyOrder(name(":1"), name(":other"));
        assertThat(node.images.list()).hasSize(1);

        assertThat(node.images.remove(name(":1"))).contains(image);

        assertThat(node.images.list()).isEmpty();
        assertThat(node.images.remove(name(":1"))).isEmpty();
        node.garbage.run();
        assertThat(node.content.list()).isEmpty();
        assertThat(node.overlay.list()).isEmpty();
    }

    @Test
    void keepsWhatAnotherImageNeeds() {
        node.pull(name(":1"));
        Image two = node.pull(name(":2"));

        node.images.remove(name(":1"));
        node.garbage.run();

        assertThat(node.content.find(BASE.digest())).isPresent();
        assertThat(node.overlay.list()).hasSize(2);
        assertThat(node.images.rootSnapshot(two, node.overlay))
                .contains(two.chainId().toString());
    }

    @Test
    void fetchesNothingThatIsThere() {
        node.pull(name(":1"));
        registry.requests().clear();

        node.pull(name(":2"));

        assertThat(registry.requests())
                .noneMatch(request -> request.contains(BASE.digest().hex()));
        registry.requests().clear();
        node.pull(name(":2"));
        assertThat(registry.requests()).hasSize(1);
    }

    @Test
    void fetchesOnceWhatManyWantAtTheSameTime() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        registry.misbehave(exchange -> {
            if (FakeRegistry.isBlob(exchange)) {
                await(begun);
            }
            return false;
        });
        try (var threads = Executors.newFixedThreadPool(8)) {
            List<Future<Image>> pulls = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                String name = name(i % 2 == 0 ? ":1" : ":2");
                pulls.add(threads.submit(() -> node.pull(name)));
            }
            Thread.sleep(300);
            begun.countDown();
            for (Future<Image> pull : pulls) {
                assertThat(pull.get().id()).isIn(ONE.id(), TWO.id());
            }
        }

        for (Digest layer : List.of(BASE.digest())) {
            assertThat(registry.requests())
                    .filteredOn(request -> request.contains(layer.hex()))
                    .hasSize(1);
        }
        assertThat(node.overlay.list()).hasSize(3);
        assertThat(node.leases.list()).isEmpty();
    }

    @Test
    void goesOnForTheOthersWhenOneGivesUp() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        registry.misbehave(exchange -> {
            if (exchange.getRequestURI().getPath().contains(BASE.digest().hex())) {
                await(begun);
            }
            return false;
        });
        try (var threads = Executors.newFixedThreadPool(2)) {
            Future<Image> givesUp = threads.submit(() -> node.pull(name(":1")));
            Thread.sleep(200);
            Future<Image> stays = threads.submit(() -> node.pull(name(":2")));
            Thread.sleep(200);
            givesUp.cancel(true);
            Thread.sleep(200);
            begun.countDown();

            assertThat(stays.get(20, TimeUnit.SECONDS).id()).isEqualTo(TWO.id());
        }
        assertThat(node.images.list()).extracting(Image::id).containsExactly(TWO.id());
        assertThat(node.leases.list()).isEmpty();
    }

    @Test
    void leavesNothingBehindWhenItIsGivenUp() throws Exception {
        registry.misbehave(exchange -> {
            if (FakeRegistry.isBlob(exchange)
                    && exchange.getRequestURI().getPath().contains(BASE.digest().hex())) {
                await(new CountDownLatch(1));
            }
            return false;
        });
        try (var threads = Executors.newFixedThreadPool(1)) {
            Future<Image> pull = threads.submit(() -> node.pull(name(":1")));
            Thread.sleep(500);
            pull.cancel(true);
        }

        assertThat(node.images.list()).isEmpty();
        assertThat(node.overlay.list()).isEmpty();
        assertThat(node.leases.list()).isEmpty();
    }

    @Test
    void tellsHowAPullGetsOn() {
        List<String> steps = new CopyOnWriteArrayList<>();
        PullListener listener = new PullListener() {
            @Override
            public void resolved(Reference reference, Digest manifest, List<Layer> layers) {
                steps.add("resolved " + layers.size());
            }

            @Override
            public void progress(Digest layer, long downloaded, long total, Phase phase) {
                if (phase == Phase.DONE) {
                    steps.add("done " + layer + " " + (downloaded == total));
                }
            }
        };
        PullOptions plain = PullOptions.of(Reference.parse(name(":1")), Credentials.NONE);

        node.images.pull(
                new PullOptions(plain.reference(), plain.credentials(), Optional.empty(), plain.platform(), listener));

        assertThat(steps).hasSize(3).startsWith("resolved 2", "done " + BASE.digest() + " true");
    }

    @Test
    void isTheSameAfterARestart() throws IOException {
        Image image = node.pull(name(":1"));
        node.close();

        node = new TestNode(directory.resolve("node"));

        assertThat(node.images.find(name(":1"))).contains(image);
        assertThat(node.images.config(image).config().user()).isEqualTo("0");
    }

    @Test
    void unpacksForAnotherSnapshotterFromWhatIsStored() {
        Image image = node.pull(name(":1"));
        registry.close();

        String root = node.images.rootSnapshot(image, node.nativeSnapshotter).orElseThrow();

        assertThat(node.nativeSnapshotter.layerDirectory(root).resolve("base")).isRegularFile();
        assertThat(node.nativeSnapshotter.layerDirectory(root).resolve("one")).isRegularFile();
    }

    @Test
    void pullsDockersSchemaTwo() {
        TestImage docker = TestImage.of("app:app", List.of(BASE), true);
        registry.add("d", docker);

        Image image = node.pull(name(":d"));

        assertThat(image.id()).isEqualTo(docker.id());
        assertThat(image.user()).isEqualTo("app:app");
    }

    @Test
    void importsALayout() throws IOException {
        Path layout = directory.resolve("layout");
        Path blobs = Files.createDirectories(layout.resolve("blobs/sha256"));
        for (var blob : ONE.blobs().entrySet()) {
            Files.write(blobs.resolve(blob.getKey().hex()), blob.getValue());
        }
        Files.write(blobs.resolve(ONE.digest().hex()), ONE.manifest());
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("mediaType", ONE.manifestType());
        entry.put("digest", ONE.digest().toString());
        entry.put("size", (long) ONE.manifest().length);
        entry.put("annotations", Map.of("org.opencontainers.image.ref.name", "gantry.dev/pause:1"));
        Files.write(
                layout.resolve("index.json"),
                Json.write(new LinkedHashMap<>(Map.of("schemaVersion", 2L, "manifests", List.of(entry)))));
        assertThat(ImageIndex.parse(Files.readAllBytes(layout.resolve("index.json")), "index")
                        .manifests())
                .hasSize(1);

        List<Image> images = node.images.importLayout(layout, true);

        assertThat(images).hasSize(1).allMatch(Image::pinned);
        assertThat(images.getFirst().tags()).containsExactly("gantry.dev/pause:1");
        assertThat(node.images.find("gantry.dev/pause:1")).contains(images.getFirst());
        assertThat(node.images.importLayout(layout, true)).extracting(Image::id).containsExactly(ONE.id());
        assertThat(node.leases.list()).isEmpty();

        node.images.remove("gantry.dev/pause:1");
        Path archive = directory.resolve("layout.tar");
        Process tar = new ProcessBuilder("tar", "-C", layout.toString(), "-cf", archive.toString(), ".").start();
        tar.onExit().join();
        assertThat(node.images.importLayout(archive, false))
                .extracting(Image::id)
                .containsExactly(ONE.id());
        assertThat(directory.resolve("node/scratch")).isEmptyDirectory();

        Files.write(blobs.resolve(ONE.digest().hex()), new byte[] {1});
        assertThatThrownBy(() -> node.images.importLayout(layout, true))
                .isInstanceOf(ImageException.BadContent.class)
                .hasMessageContaining(ONE.digest().hex());
    }

    @Test
    void countsWhatIsUsed() {
        node.pull(name(":1"));
        node.overlay.prepare("c", Optional.empty(), Map.of());

        FsUsage usage = node.images.usage();

        assertThat(usage.mountpoint()).isEqualTo(node.overlay.root());
        assertThat(usage.imageBytes()).isGreaterThan(800_000);
        assertThat(usage.imageInodes()).isGreaterThan(1);
        assertThat(usage.containerInodes()).isPositive();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the test is over
        }
    }
}
