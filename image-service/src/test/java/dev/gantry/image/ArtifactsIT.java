package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArtifactsIT {

    private static final byte[] LARGE = new byte[300_000];
    private static final byte[] SMALL = "a small file".getBytes(StandardCharsets.UTF_8);

    static {
        Arrays.fill(LARGE, (byte) 'x');
    }

    @TempDir
    private Path directory;

    private LocalRegistry registry;
    private TestNode node;

    @BeforeEach
    void start() throws IOException {
        registry = LocalRegistry.start(Files.createDirectories(directory.resolve("registry")));
        node = new TestNode(directory.resolve("node"));
    }

    @AfterEach
    void stop() {
        node.close();
        registry.close();
    }

    private String push(TestImage artifact) throws IOException {
        try (RegistryClient client = new RegistryClient(registry.host())) {
            client.push("models/tiny", "v1", artifact);
        }
        return registry.host() + "/models/tiny:v1";
    }

    private static Map<String, byte[]> files() {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("weights/model.bin", LARGE);
        files.put("README.md", SMALL);
        return files;
    }

    @Test
    void isPulledAndListedByItsManifest() throws IOException {
        TestImage pushed = TestImage.artifact(files());

        Image artifact = node.pull(push(pushed));

        assertThat(artifact.artifact()).isTrue();
        assertThat(artifact.id()).isEqualTo(pushed.digest());
        assertThat(artifact.tags()).containsExactly(registry.host() + "/models/tiny:v1");
        assertThat(artifact.digests()).containsExactly(registry.host() + "/models/tiny@" + pushed.digest());
        assertThat(artifact.size()).isEqualTo(pushed.manifest().length + 2L + LARGE.length + SMALL.length);
        assertThat(node.images.find(artifact.id().toString())).contains(artifact);
        assertThat(node.images.artifactFiles(artifact))
                .extracting(ArtifactFile::path)
                .containsExactly("weights/model.bin", "README.md");
        assertThat(new String(node.images.configBytes(artifact), StandardCharsets.UTF_8))
                .contains("application/vnd.oci.empty.v1+json");
    }

    @Test
    void cannotBeRun() throws IOException {
        Image artifact = node.pull(push(TestImage.artifact(files())));

        assertThatThrownBy(() -> node.images.config(artifact))
                .isInstanceOf(ImageException.NotRunnable.class)
                .hasMessageContaining("can be mounted as a volume");
        assertThat(node.images.rootSnapshot(artifact, node.overlay)).isEmpty();
    }

    @Test
    void placesItsFilesWithoutCopyingTheLargeOnes() throws IOException {
        Image artifact = node.pull(push(TestImage.artifact(files())));
        Path large = directory.resolve("node/model");
        Path small = directory.resolve("node/readme");

        node.images.place(node.images.artifactFiles(artifact).get(0), large);
        node.images.place(node.images.artifactFiles(artifact).get(1), small);

        assertThat(large).hasBinaryContent(LARGE);
        assertThat(small).hasBinaryContent(SMALL);
        assertThat(Files.getAttribute(large, "unix:nlink")).isEqualTo(2);
        assertThat(Files.getPosixFilePermissions(large)).hasToString("[OWNER_READ, GROUP_READ, OTHERS_READ]");
    }

    @Test
    void isKeptWholeAsLongAsItIsListed() throws IOException {
        Image artifact = node.pull(push(TestImage.artifact(files())));

        node.garbage.run();
        assertThat(node.content.find(Digest.of(LARGE))).isPresent();

        Path placed = directory.resolve("node/model");
        node.images.place(node.images.artifactFiles(artifact).getFirst(), placed);
        node.images.remove(artifact.id().toString());
        node.garbage.run();

        assertThat(node.content.find(Digest.of(LARGE))).isEmpty();
        assertThat(placed).hasBinaryContent(LARGE);
    }

    @Test
    void isFetchedAgainAfterItsRemoval() throws IOException {
        String name = push(TestImage.artifact(files()));
        node.images.remove(node.pull(name).id().toString());
        node.garbage.run();

        assertThat(node.images.artifactFiles(node.pull(name))).hasSize(2);
    }

    @Test
    void callsAFileWithoutATitleByItsDigest() throws IOException {
        Image artifact = node.pull(push(TestImage.artifact(Map.of("#", SMALL))));

        assertThat(node.images.artifactFiles(artifact))
                .extracting(ArtifactFile::path)
                .containsExactly(Digest.of(SMALL).hex());
    }

    @Test
    void refusesNamesThatLeadOutOfIt() throws IOException {
        for (String title : new String[] {"../etc/passwd", "/etc/passwd", "a//b", "a/./b", "..", "a\nb", "a/"}) {
            String name = push(TestImage.artifact(Map.of(title, SMALL)));

            assertThatThrownBy(() -> node.pull(name))
                    .isInstanceOf(ImageException.BadContent.class)
                    .hasMessageContaining("is no relative path of a file");
        }
    }

    @Test
    void refusesANameThatIsAFileAndAFolder() throws IOException {
        String name = push(TestImage.artifact(Map.of("a", SMALL, "a/b", LARGE)));

        assertThatThrownBy(() -> node.pull(name)).hasMessageContaining("names \"a\" as a file and as a folder");
    }
}
