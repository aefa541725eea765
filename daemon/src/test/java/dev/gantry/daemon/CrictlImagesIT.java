package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.PullImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What `crictl` shows of images, pulls by every form of reference, and removes.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CrictlImagesIT {

    private static final String NAME = "docker.io/library/busybox:latest";

    private ChildNode node;
    private Crictl crictl;
    private Path registry;
    private String digest = "";

    /// The registry is asked for every name; it has busybox as Docker Hub would.
    @BeforeAll
    void start(@TempDir Path directory) throws IOException, InterruptedException {
        registry = directory;
        node = ChildNode.create();
        Path layout = node.directory().resolve("pushed");
        var _ = ChildProgram.run(
                "cp", "-r", node.directory().resolve("images/busybox").toString(), layout.toString());
        Path index = layout.resolve("index.json");
        Files.writeString(index, Files.readString(index).replace(TestImages.NAME, NAME));
        digest = Files.readString(index).replaceAll("(?s).*\"digest\":\"(sha256:[0-9a-f]+)\".*", "$1");
        var _ = Scripts.run("registry", List.of("push", registry.toString(), layout.toString()));
        var _ = Scripts.run("registry", List.of("up", registry.toString()));
        var _ = Scripts.run(
                "registry",
                List.of(
                        "certs",
                        registry.toString(),
                        node.directory().resolve("certs.d").toString()));
        node.set("runtime.handlers.plain.snapshotter", "\"native\"");
        node.start();
        crictl = Crictl.of(node);
        crictl.run("rmi", TestImages.NAME);
    }

    @AfterEach
    void removeImages() throws IOException, InterruptedException {
        node.calls().removeAll();
        crictl.run("rmi", "--prune");
    }

    @AfterAll
    void close() throws IOException {
        try {
            node.close();
        } finally {
            var _ = Scripts.run("registry", List.of("down", registry.toString()));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "busybox",
                "busybox:latest",
                "library/busybox",
                "docker.io/library/busybox:latest",
                "busybox@DIGEST",
                "docker.io/library/busybox:latest@DIGEST",
                "registry.test/library/busybox",
                "registry.test:5000/library/busybox:latest",
                "ADDRESS/library/busybox:latest",
                "ADDRESS/library/busybox@DIGEST"
            })
    void pulls(String form) throws IOException, InterruptedException {
        String reference = form.replace("DIGEST", digest)
                .replace(
                        "ADDRESS", Files.readString(registry.resolve("address")).strip());

        String said = crictl.run("pull", reference);

        JsonTree image = crictl.json("inspecti", reference);
        assertThat(said).contains(image.at("status", "id").text());
        assertThat(image.at("status", "repoDigests").items())
                .extracting(JsonTree::text)
                .anyMatch(it -> it.endsWith("/library/busybox@" + digest));
        assertThat(image.at("status", "repoTags").items())
                .extracting(JsonTree::text)
                .hasSize(form.contains("@") ? 0 : 1)
                .allMatch(it -> it.endsWith("/library/busybox:latest"));
        crictl.run("rmi", reference);
        assertThat(crictl.end("inspecti", reference).code()).isNotZero();
    }

    @Test
    void showsImages() throws IOException, InterruptedException {
        crictl.run("pull", "busybox");

        JsonTree listed = crictl.json("images", "-o", "json", NAME).at("images", 0);
        assertThat(listed.at("repoTags", 0).text()).isEqualTo(NAME);
        assertThat(Long.parseLong(listed.at("size").text())).isPositive();
        assertThat(crictl.json("images", "-o", "json").at("images").items())
                .extracting(it -> it.at("pinned").text())
                .contains("true");

        JsonTree image = crictl.json("inspecti", NAME);
        assertThat(image.at("status", "id").text()).isEqualTo(listed.at("id").text());
        assertThat(image.at("info", "imageSpec", "config", "Cmd", 0).text()).isEqualTo("sh");
        assertThat(image.at("info", "chainID").text()).startsWith("sha256:");
    }

    @Test
    void pullsForAHandlerAndRunsWithIt() throws IOException, InterruptedException {
        PullImageRequest.Builder request = PullImageRequest.newBuilder();
        request.getImageBuilder().setImage("busybox").setRuntimeHandler("plain");
        var _ = node.client().images().pullImage(request.build());
        String pod = crictl.write("pod.json", """
            {"metadata": {"name": "plain", "namespace": "test", "uid": "plain"}, "log_directory": "%s"}
            """.formatted(node.directory().resolve("logs/plain")));
        String container = crictl.write("plain.json", """
            {"metadata": {"name": "main"}, "image": {"image": "busybox"}, "command": ["sleep", "1000"],
             "log_path": "main.log"}
            """);

        String id = crictl.run("run", "--no-pull", "--runtime", "plain", container, pod);

        assertThat(crictl.json("inspect", id).at("info", "snapshotter").text()).isEqualTo("native");
        assertThat(crictl.run("exec", "--sync", id, "cat", "/etc/passwd")).contains("tester");
    }

    @Test
    void prunesOnlyWhatNobodyUses() throws IOException, InterruptedException {
        String pod = crictl.write("used.json", """
            {"metadata": {"name": "used", "namespace": "test", "uid": "used"}, "log_directory": "%s"}
            """.formatted(node.directory().resolve("logs/used")));
        String container = crictl.write("user.json", """
            {"metadata": {"name": "main"}, "image": {"image": "busybox"}, "command": ["sleep", "1000"],
             "log_path": "main.log"}
            """);
        crictl.run("run", "--with-pull", container, pod);

        crictl.run("rmi", "--prune");
        assertThat(crictl.end("inspecti", NAME).code()).isZero();

        node.calls().removeAll();
        assertThat(crictl.end("rmi", "--prune").output()).contains("Deleted: " + NAME);
        assertThat(crictl.end("inspecti", NAME).code()).isNotZero();
        assertThat(crictl.json("images", "-o", "json").at("images").items())
                .as("images that are pinned")
                .isNotEmpty();
    }

    @Test
    void saysWhatCannotBePulled() throws IOException, InterruptedException {
        assertThat(crictl.end("pull", "busybox:none").errors()).contains("NotFound", "busybox:none");
        assertThat(crictl.end("pull", "Not/A//Name").errors()).contains("InvalidArgument", "Not/A//Name");
        assertThat(crictl.end("rmi", "busybox:none").errors()).contains("no such image busybox:none");
    }
}
