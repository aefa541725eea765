package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDocumentTest {

    private static final String HEX = "0123456789abcdef".repeat(4);
    private static final String BLOB = "\"digest\": \"sha256:%s\", \"size\": 7".formatted(HEX);

    @Test
    void readsAnOciIndex() {
        ImageDocument document = parse("""
                {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "future": {"x": [1]},
                 "manifests": [
                   {"mediaType": "application/vnd.oci.image.manifest.v1+json", BLOB,
                    "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
                   {"mediaType": "application/vnd.oci.image.manifest.v1+json", BLOB,
                    "platform": {"os": "unknown", "architecture": "unknown"}}],
                 "annotations": {"a": "b"}}""");

        assertThat(document).isInstanceOf(ImageIndex.class);
        var index = (ImageIndex) document;
        assertThat(index.manifests()).hasSize(2);
        assertThat(index.choose(new Platform("linux", "aarch64", "")))
                .contains(index.manifests().getFirst());
        assertThat(index.choose(new Platform("linux", "amd64", ""))).isEmpty();
        assertThat(ImageDocument.parse(index.toJson(), "index")).isEqualTo(index);
    }

    @Test
    void readsADockerManifestList() {
        ImageDocument document = parse("""
                {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
                 "manifests": []}""");

        assertThat(document.mediaType()).isEqualTo(MediaTypes.DOCKER_INDEX);
    }

    @Test
    void readsADockerManifest() {
        ImageDocument document = parse("""
                {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                 "config": {"mediaType": "application/vnd.docker.container.image.v1+json", BLOB},
                 "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", BLOB}]}""");

        assertThat(document).isInstanceOfSatisfying(ImageManifest.class, manifest -> {
            assertThat(manifest.config().digest().hex()).isEqualTo(HEX);
            assertThat(manifest.layers()).hasSize(1);
            assertThat(ImageManifest.parse(manifest.toJson(), "manifest")).isEqualTo(manifest);
        });
    }

    @Test
    void tellsTheKindByTheMembersIfThereIsNoMediaType() {
        assertThat(parse("{\"schemaVersion\": 2, \"manifests\": []}")).isInstanceOf(ImageIndex.class);
        assertThat(parse("{\"schemaVersion\": 2, \"config\": {BLOB}, \"layers\": []}"))
                .isInstanceOf(ImageManifest.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                MediaTypes.OCI_INDEX,
                MediaTypes.OCI_MANIFEST,
                MediaTypes.DOCKER_INDEX,
                MediaTypes.DOCKER_MANIFEST,
                ""
            })
    void refusesADocumentThatIsBothKinds(String mediaType) {
        assertThatThrownBy(() -> parse("""
                {"schemaVersion": 2, "mediaType": "%s", "manifests": [], "config": {BLOB}, "layers": []}""".formatted(mediaType)))
                .isInstanceOf(MalformedDocumentException.class)
                .hasMessage("cannot read manifest x: it has both manifests and layers");
    }

    @Test
    void refusesSchema1() {
        assertThatThrownBy(() -> parse("{\"schemaVersion\": 1, \"name\": \"a\", \"fsLayers\": []}"))
                .hasMessageContaining("schema 1");
    }

    @Test
    void namesTheMemberAtFault() {
        assertFails("{}", "schemaVersion is missing, not 2");
        assertFails("[]", "it is not an object");
        assertFails("{\"schemaVersion\": 2, \"layers\": []}", "member config is missing");
        assertFails("{\"schemaVersion\": 2, \"config\": {BLOB}}", "member layers is missing");
        assertFails(
                "{\"schemaVersion\": 2, \"config\": {BLOB}, \"layers\": [{BLOB}, {\"size\": 1, \"digest\": \"x\"}]}",
                "member layers[1].digest: digest has no algorithm: x");
        assertFails(
                "{\"schemaVersion\": 2, \"config\": {\"digest\": \"sha256:%s\", \"size\": -1}, \"layers\": []}"
                        .formatted(HEX),
                "member config.size is negative");
        assertFails("{\"schemaVersion\": 2, \"config\": {BLOB}, \"layers\": [null]}", "member layers[0] is not");
        assertFails("{\"schemaVersion\": 2, \"config\": {BLOB}, \"layers\": {}}", "member layers is not an array");
        assertFails("{\"schemaVersion\": 2, \"mediaType\": \"text/html\", \"layers\": []}", "media type is neither");
    }

    @Test
    void readsAConfiguration() {
        ImageConfig config = ImageConfig.parse("""
                {"architecture": "amd64", "os": "linux", "created": "2020-01-01T01:00:00+01:00", "author": "me",
                 "config": {"User": "1000:5", "Env": ["A=b"], "Entrypoint": ["/e"], "Cmd": null, "WorkingDir": "/w",
                   "Volumes": {"/data": {}}, "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGINT",
                   "Labels": {"l": "v"}, "ArgsEscaped": true, "Healthcheck": {"Test": ["NONE"]}},
                 "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]},
                 "history": [{"created_by": "x", "empty_layer": true}]}""".formatted(HEX).getBytes(StandardCharsets.UTF_8), "config x");

        assertThat(config.created()).hasToString("2020-01-01T00:00:00Z");
        assertThat(config.diffIds()).containsExactly(new Digest("sha256", HEX));
        assertThat(config.config().entrypoint()).containsExactly("/e");
        assertThat(config.config().cmd()).isEmpty();
        assertThat(config.config().volumes()).containsExactly("/data");
        assertThat(config.config().exposedPorts()).containsExactly("80/tcp");
        assertThat(config.config().stopSignal()).isEqualTo("SIGINT");
        assertThat(config.history()).hasSize(1);
        assertThat(ImageConfig.parse(config.toJson(), "config x")).isEqualTo(config);
    }

    @Test
    void readsAConfigurationThatSaysNothingOfStarting() {
        ImageConfig config = ImageConfig.parse(
                "{\"architecture\": \"arm\", \"os\": \"linux\", \"rootfs\": {\"diff_ids\": []}}"
                        .getBytes(StandardCharsets.UTF_8),
                "config x");

        assertThat(config.config().env()).isEmpty();
        assertThat(config.created()).isNull();
    }

    @Test
    void refusesConfigurationsThatCannotBeRight() {
        for (String text : List.of(
                "{}",
                "{\"os\": \"linux\", \"architecture\": \"amd64\"}",
                "{\"os\": \"linux\", \"architecture\": \"amd64\", \"rootfs\": {\"type\": \"tree\"}}",
                "{\"os\": \"linux\", \"architecture\": \"amd64\", \"rootfs\": {\"diff_ids\": [\"../x\"]}}",
                "{\"os\": \"linux\", \"architecture\": \"amd64\", \"rootfs\": {}, \"created\": \"yesterday\"}",
                "{\"os\": \"linux\", \"architecture\": \"amd64\", \"rootfs\": {}, \"config\": {\"Env\": \"A=b\"}}")) {
            assertThatThrownBy(() -> ImageConfig.parse(text.getBytes(StandardCharsets.UTF_8), "config x"))
                    .as(text)
                    .isInstanceOf(MalformedDocumentException.class)
                    .hasMessageStartingWith("cannot read config x: member ");
        }
    }

    private static ImageDocument parse(String text) {
        return ImageDocument.parse(text.replace("BLOB", BLOB).getBytes(StandardCharsets.UTF_8), "manifest x");
    }

    private static void assertFails(String text, String problem) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(MalformedDocumentException.class)
                .hasMessageStartingWith("cannot read manifest x: ")
                .hasMessageContaining(problem);
    }
}
