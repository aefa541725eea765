package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MediaTypes;
import dev.gantry.cri.oci.Platform;
import dev.gantry.storage.SnapshotInfo;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Registries that fail, lie, or send people elsewhere: each gives the right status, names the image, and leaves
/// nothing half done.
class RegistryFailuresIT {

    private static final TestLayer.Packed LAYER =
            new TestLayer().file("f", "content").gzip();
    private static final TestImage IMAGE = TestImage.of(LAYER);

    @TempDir
    private Path directory;

    private FakeRegistry registry;
    private TestNode node;

    @BeforeEach
    void start() throws Exception {
        registry = new FakeRegistry();
        node = new TestNode(directory);
        registry.add("1", IMAGE);
    }

    @AfterEach
    void stop() {
        node.close();
        registry.close();
    }

    private String name() {
        return registry.host() + "/a/b:1";
    }

    private Throwable failure(Status.Code code, String... words) {
        return failure(() -> node.pull(name()), code, words);
    }

    private Throwable failure(ThrowingCallable pull, Status.Code code, String... words) {
        Throwable[] thrown = new Throwable[1];
        assertThatThrownBy(pull).satisfies(e -> {
            thrown[0] = e;
            assertThat(GrpcErrors.of(e).getStatus().getCode()).as(e.toString()).isEqualTo(code);
            assertThat(e.getMessage()).contains(words);
        });
        assertNothingIsLeft();
        return thrown[0];
    }

    private void assertNothingIsLeft() {
        assertThat(node.images.list()).isEmpty();
        assertThat(node.leases.list()).isEmpty();
        assertThat(node.overlay.list()).extracting(SnapshotInfo::key).isEmpty();
        node.garbage.run();
        assertThat(node.content.list()).isEmpty();
    }

    @Test
    void triesAgainWhenTheRegistryFailsForAMoment() {
        AtomicInteger failures = new AtomicInteger();
        registry.misbehave(exchange -> {
            if (failures.getAndIncrement() % 2 == 0) {
                FakeRegistry.reply(exchange, failures.get() % 4 == 1 ? 503 : 429, "text/plain", "busy");
                return true;
            }
            return false;
        });

        assertThat(node.pull(name()).id()).isEqualTo(IMAGE.id());
    }

    @Test
    void saysThatTheRegistryIsUnavailableWhenItKeepsFailing() {
        registry.misbehave(exchange -> {
            FakeRegistry.reply(exchange, 500, "text/plain", "broken");
            return true;
        });

        Throwable e = failure(Status.Code.UNAVAILABLE, name(), registry.host(), "500");

        assertThat(e).hasMessageStartingWith("RegistryUnavailable: ");
        assertThat(registry.requests()).hasSize(5);
    }

    @Test
    void saysThatTheRegistryIsUnavailableWhenNobodyListens() throws Exception {
        String host = "127.0.0.1:" + LocalRegistry.freePort();

        failure(() -> node.pull(host + "/a/b:1"), Status.Code.UNAVAILABLE, "RegistryUnavailable: ", host + "/a/b:1");
    }

    @Test
    void passesOnThatTheRegistryWantsToKnowWhoAsks() {
        registry.misbehave(exchange -> {
            FakeRegistry.reply(exchange, 401, "text/plain", "");
            return true;
        });
        failure(Status.Code.UNAUTHENTICATED, name(), registry.host());

        registry.misbehave(exchange -> {
            FakeRegistry.reply(exchange, 403, "text/plain", "");
            return true;
        });
        failure(Status.Code.PERMISSION_DENIED, name(), registry.host());
    }

    @Test
    void saysWhatTheRegistryDoesNotHave() {
        failure(() -> node.pull(registry.host() + "/a/b:2"), Status.Code.NOT_FOUND, registry.host() + "/a/b:2");
    }

    @Test
    void recognisesAWebPage() {
        for (String type : List.of("text/html; charset=utf-8", "application/json")) {
            registry.misbehave(exchange -> {
                FakeRegistry.reply(exchange, 200, type, "<!doctype html><title>Log in</title>");
                return true;
            });
            failure(Status.Code.INTERNAL, name(), "web page");
        }
    }

    @Test
    void givesUpOnARegistryThatAnswersNothing() {
        registry.misbehave(exchange -> {
            pause(60_000);
            return true;
        });

        failure(Status.Code.DEADLINE_EXCEEDED, name(), registry.host());
    }

    @Test
    void givesUpOnALayerThatStopsArriving() {
        registry.misbehave(exchange -> {
            if (!exchange.getRequestURI().getPath().endsWith(LAYER.digest().toString())) {
                return false;
            }
            exchange.sendResponseHeaders(200, LAYER.blob().length);
            exchange.getResponseBody().write(LAYER.blob(), 0, 20);
            exchange.getResponseBody().flush();
            pause(60_000);
            return true;
        });

        failure(Status.Code.DEADLINE_EXCEEDED, LAYER.digest().toString(), registry.host());
    }

    @Test
    void goesOnWhereATransferBrokeOff() {
        byte[] noise = new byte[600_000];
        new Random(3).nextBytes(noise);
        TestLayer.Packed layer = new TestLayer().file("f", noise, 0644, 0, 0).gzip();
        TestImage image = TestImage.of(layer);
        registry.add("1", image);
        AtomicInteger cuts = new AtomicInteger();
        registry.misbehave(exchange -> {
            if (!exchange.getRequestURI().getPath().endsWith(layer.digest().toString()) || cuts.getAndIncrement() > 0) {
                return false;
            }
            exchange.sendResponseHeaders(200, layer.blob().length);
            exchange.getResponseBody().write(layer.blob(), 0, 300_000);
            return true; // the server closes the connection, for the body is too short
        });

        Image pulled = node.pull(name());

        assertThat(node.topLayer(pulled).resolve("f")).hasBinaryContent(noise);
        assertThat(cuts).hasValue(2);
    }

    @Test
    void goesOnAfterAPullThatFailed() {
        byte[] noise = new byte[600_000];
        new Random(4).nextBytes(noise);
        TestLayer.Packed layer = new TestLayer().file("f", noise, 0644, 0, 0).gzip();
        registry.add("1", TestImage.of(layer));
        registry.misbehave(exchange -> {
            if (!exchange.getRequestURI().getPath().endsWith(layer.digest().toString())) {
                return false;
            }
            if (exchange.getRequestHeaders().containsKey("Range")) {
                FakeRegistry.reply(exchange, 404, "text/plain", "");
            } else {
                exchange.sendResponseHeaders(200, layer.blob().length);
                exchange.getResponseBody().write(layer.blob(), 0, 300_000);
            }
            return true;
        });
        failure(Status.Code.NOT_FOUND, layer.digest().toString());
        List<Integer> ranges = new CopyOnWriteArrayList<>();
        registry.misbehave(exchange -> {
            if (exchange.getRequestHeaders().containsKey("Range")) {
                ranges.add(Integer.parseInt(
                        exchange.getRequestHeaders().getFirst("Range").replaceAll("[^0-9]", "")));
            }
            return false;
        });

        Image pulled = node.pull(name());

        assertThat(ranges).hasSize(1).allMatch(offset -> offset > 0 && offset <= 300_000);
        assertThat(node.topLayer(pulled).resolve("f")).hasBinaryContent(noise);
    }

    @Test
    void refusesALayerWithAnotherDigest() {
        byte[] other = LAYER.blob().clone();
        other[20] ^= 1;
        registry.blob(LAYER.digest(), other);

        failure(Status.Code.INTERNAL, LAYER.digest().toString());
    }

    @Test
    void refusesALayerThatIsTooLong() {
        registry.blob(LAYER.digest(), Arrays.copyOf(LAYER.blob(), LAYER.blob().length + 10));

        failure(Status.Code.INTERNAL, LAYER.digest().toString());
    }

    @Test
    void refusesATruncatedLayer() {
        byte[] cut = Arrays.copyOf(LAYER.blob(), LAYER.blob().length - 20);
        registry.add("1", TestImage.of(new TestLayer.Packed(cut, LAYER.mediaType(), LAYER.diffId())));

        failure(Status.Code.INTERNAL, Digest.of(cut).toString(), "cut off");
    }

    @Test
    void refusesALayerThatIsNotTheOneTheConfigurationMeans() {
        Digest wrong = Digest.of(new byte[] {1});
        registry.add("1", TestImage.of(new TestLayer.Packed(LAYER.blob(), LAYER.mediaType(), wrong)));

        failure(Status.Code.INTERNAL, LAYER.digest().toString(), wrong.toString());
    }

    @Test
    void refusesAManifestWithAnotherDigestThanAskedFor() {
        String asked = registry.host() + "/a/b@" + IMAGE.digest();
        registry.misbehave(exchange -> {
            if (FakeRegistry.isBlob(exchange)) {
                return false;
            }
            FakeRegistry.reply(
                    exchange, 200, IMAGE.manifestType(), new String(IMAGE.manifest(), StandardCharsets.UTF_8) + " ");
            return true;
        });

        failure(() -> node.pull(asked), Status.Code.INTERNAL, IMAGE.digest().toString());
    }

    @Test
    void listsThePlatformsOfAnIndexWithoutOurs() {
        TestImage other = TestImage.of("0", new Platform("linux", "s390x", ""), List.of(LAYER), false);
        registry.manifest(
                "1",
                MediaTypes.OCI_INDEX,
                TestImage.index(
                        other.descriptor(new Platform("linux", "s390x", "")),
                        other.descriptor(new Platform("windows", "amd64", ""))));
        failure(Status.Code.NOT_FOUND, name(), Platform.host().toString(), "linux/s390x, windows/amd64");

        registry.add("1", other);
        failure(Status.Code.NOT_FOUND, name(), "linux/s390x");
    }

    @Test
    void refusesDocumentsThatCannotBeUsed() {
        Map<String, Object> both = new LinkedHashMap<>(Map.of(
                "schemaVersion", 2L, "manifests", List.of(), "layers", List.of(), "mediaType", MediaTypes.OCI_INDEX));
        registry.manifest("1", MediaTypes.OCI_INDEX, Json.write(both));
        failure(Status.Code.INTERNAL, "both manifests and layers");

        registry.manifest(
                "1", MediaTypes.DOCKER_SCHEMA_1_SIGNED, "{\"schemaVersion\":1}".getBytes(StandardCharsets.UTF_8));
        failure(Status.Code.INTERNAL, "schema 1");

        registry.manifest("1", MediaTypes.OCI_INDEX, IMAGE.manifest());
        failure(Status.Code.INTERNAL, name(), MediaTypes.OCI_INDEX);

        registry.manifest("1", MediaTypes.OCI_MANIFEST, "{".getBytes(StandardCharsets.UTF_8));
        failure(Status.Code.INTERNAL, name());

        registry.manifest(
                "1",
                MediaTypes.OCI_MANIFEST,
                (" ".repeat(Repository.DOCUMENT_LIMIT) + "{}").getBytes(StandardCharsets.UTF_8));
        failure(Status.Code.INTERNAL, name(), "too large");
    }

    @Test
    void neverShowsTheAuthorizationToAnotherHost() throws Exception {
        try (FakeRegistry storage = new FakeRegistry()) {
            storage.add("1", IMAGE);
            registry.misbehave(exchange -> {
                if (exchange.getRequestHeaders().getFirst("Authorization") == null) {
                    exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"x\"");
                    FakeRegistry.reply(exchange, 401, "text/plain", "");
                    return true;
                }
                if (FakeRegistry.isBlob(exchange)) {
                    exchange.getResponseHeaders()
                            .set("Location", "http://" + storage.host() + exchange.getRequestURI());
                    FakeRegistry.reply(exchange, 307, "text/plain", "");
                    return true;
                }
                return false;
            });

            Image image = node.images.pull(PullOptions.of(Reference.parse(name()), Credentials.basic("me", "secret")));

            assertThat(image.id()).isEqualTo(IMAGE.id());
            assertThat(registry.requests()).anyMatch(request -> request.contains("authorization"));
            assertThat(storage.requests()).hasSize(2).noneMatch(request -> request.contains("authorization"));
        }
    }

    @Test
    void keepsCredentialsOutOfErrors() {
        registry.misbehave(exchange -> {
            exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"x\"");
            FakeRegistry.reply(exchange, 401, "text/plain", "");
            return true;
        });
        PullOptions options = PullOptions.of(Reference.parse(name()), Credentials.basic("user-x", "secret-x"));

        Throwable e = failure(() -> node.images.pull(options), Status.Code.UNAUTHENTICATED, name());

        for (Throwable t = e; t != null; t = t.getCause()) {
            assertThat(t.toString())
                    .doesNotContain("secret-x", "user-x", options.credentials().basicHeader());
        }
    }

    @Test
    void endsARedirectThatGoesRoundAndRound() {
        registry.misbehave(exchange -> {
            exchange.getResponseHeaders()
                    .set("Location", exchange.getRequestURI().toString());
            FakeRegistry.reply(exchange, 302, "text/plain", "");
            return true;
        });

        failure(Status.Code.UNAVAILABLE, name(), "redirects");
    }

    @Test
    void asksTheMirrorFirstAndTheRegistryWhenTheMirrorFails() throws Exception {
        try (FakeRegistry mirror = new FakeRegistry()) {
            mirror.add("1", IMAGE);
            hosts("[host.\"http://%s\"]\nserver = \"http://%s\"".formatted(mirror.host(), registry.host()));
            assertThat(node.pull("images.example/a/b:1").id()).isEqualTo(IMAGE.id());
            assertThat(mirror.requests()).isNotEmpty().allMatch(request -> request.endsWith("?ns=images.example"));
            assertThat(registry.requests()).isEmpty();
            node.images.remove("images.example/a/b:1");
            node.garbage.run();

            mirror.misbehave(exchange -> {
                FakeRegistry.reply(exchange, 500, "text/plain", "");
                return true;
            });
            assertThat(node.pull("images.example/a/b:1").id()).isEqualTo(IMAGE.id());
            assertThat(registry.requests()).isNotEmpty().noneMatch(request -> request.contains("ns="));
        }
    }

    @Test
    void remembersThatAMirrorIsDead() throws Exception {
        int port = LocalRegistry.freePort();
        hosts("server = \"http://%s\"\n[host.\"http://127.0.0.1:%d\"]".formatted(registry.host(), port));

        node.pull("images.example/a/b:1");
        try (FakeRegistry late = new FakeRegistry(port)) {
            node.pull("images.example/a/b:1");

            assertThat(late.requests()).isEmpty();
        }
    }

    private void hosts(String toml) throws Exception {
        // keys of the table must come before the tables
        List<String> lines = toml.lines()
                .sorted((a, b) -> Boolean.compare(a.startsWith("["), b.startsWith("[")))
                .toList();
        Path folder = Files.createDirectories(node.certs.resolve("images.example"));
        Files.write(folder.resolve("hosts.toml"), lines);
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // the test is over
        }
    }
}
