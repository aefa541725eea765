package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.ImageStatusRequest;
import dev.gantry.cri.runtime.v1.ListImagesRequest;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.MountPropagation;
import dev.gantry.cri.runtime.v1.RemoveImageRequest;
import io.grpc.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Images and artifacts as volumes.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ImageVolumesIT {

    private static final String DATA = "gantry.test/data:latest";
    private static final String MODEL = "gantry.test/model:latest";

    private ChildNode node;
    private TestCalls calls;
    private String pod;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.create();
        Path lower = Files.createDirectories(node.directory().resolve("lower"));
        Files.createDirectories(lower.resolve("conf/sub"));
        Files.writeString(lower.resolve("conf/a"), "below");
        Files.writeString(lower.resolve("conf/b"), "kept");
        Path upper = Files.createDirectories(node.directory().resolve("upper"));
        Files.createDirectories(upper.resolve("conf"));
        Files.writeString(upper.resolve("conf/a"), "above");
        Files.createSymbolicLink(upper.resolve("link"), Path.of("/conf/sub/.."));
        Files.createSymbolicLink(upper.resolve("escape"), Path.of("../../../../etc"));
        Path kept = Files.createDirectories(node.directory().resolve("kept"));
        Files.writeString(kept.resolve("file"), "kept");
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("weights/model.bin", new byte[200_000]);
        files.put("README.md", "read me".getBytes(StandardCharsets.UTF_8));
        new TestLayout(node.directory().resolve("images/volumes"))
                .image("gantry.test/empty:latest", "")
                .image(DATA, "", lower, upper)
                .artifact(MODEL, files)
                .artifact("gantry.test/spare:latest", Map.of("x", new byte[1]))
                .artifact("gantry.test/kept:latest", Map.of("data", new byte[100_000]))
                .image("gantry.test/kept-image:latest", "\"User\":\"1\"", kept)
                .write();
        node.start();
        calls = node.calls();
        pod = calls.run(calls.pod("pod"));
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    private ContainerConfig.Builder with(Mount.Builder... mounts) {
        ContainerConfig.Builder config = calls.sleeper("c" + System.nanoTime());
        for (Mount.Builder mount : mounts) {
            config.addMounts(mount);
        }
        return config;
    }

    private static Mount.Builder volume(String image) {
        return Mount.newBuilder()
                .setContainerPath("/volume")
                .setReadonly(true)
                .setImage(ImageSpec.newBuilder().setImage(image).setUserSpecifiedImage(image));
    }

    private Image image(String name) {
        return node.client()
                .images()
                .imageStatus(ImageStatusRequest.newBuilder()
                        .setImage(ImageSpec.newBuilder().setImage(name))
                        .build())
                .getImage();
    }

    private void removeImage(String name) {
        var _ = node.client()
                .images()
                .removeImage(RemoveImageRequest.newBuilder()
                        .setImage(ImageSpec.newBuilder().setImage(name))
                        .build());
    }

    @Test
    void showsTheMergedLayersAndNothingCanBeWritten() {
        String container = calls.run(pod, with(volume(DATA)));

        assertThat(calls.shell(container, "cat /volume/conf/a /volume/conf/b")).isEqualTo("abovekept");
        assertThat(calls.shell(container, "touch /volume/x 2>&1 || true")).contains("Read-only file system");
        ContainerStatus status = calls.status(container);
        assertThat(status.getMountsList()).singleElement().satisfies(it -> {
            assertThat(it.getContainerPath()).isEqualTo("/volume");
            assertThat(it.getReadonly()).isTrue();
            assertThat(it.getImage().getImage()).isEqualTo(DATA);
            assertThat(it.getImage().getUserSpecifiedImage()).isEqualTo(DATA);
            assertThat(it.getImage().getImageRef()).isEqualTo(image(DATA).getRepoDigests(0));
        });
        calls.stop(container, 0);
        calls.remove(container);
    }

    @Test
    void cannotBeMadeWritableByAContainerThatMayMount() {
        ContainerConfig.Builder config = with(volume(MODEL));
        config.getLinuxBuilder()
                .getSecurityContextBuilder()
                .getCapabilitiesBuilder()
                .addAddCapabilities("SYS_ADMIN");
        String container = calls.run(pod, config);

        var _ = calls.exec(container, "mount", "-o", "remount,bind,rw", "/volume");

        assertThat(calls.exec(container, "sh", "-c", "echo bad > /volume/README.md")
                        .getExitCode())
                .isNotZero();
        assertThat(calls.shell(container, "cat /volume/README.md")).isEqualTo("read me");
    }

    @Test
    void aSubPathIsResolvedInsideTheImage() {
        String folder = calls.run(pod, with(volume(DATA).setImageSubPath("conf")));
        String link = calls.run(pod, with(volume(DATA).setImageSubPath("link")));
        String file = calls.run(pod, with(volume(DATA).setImageSubPath("conf/b")));

        assertThat(calls.shell(folder, "ls /volume")).isEqualTo("a\nb\nsub");
        assertThat(calls.shell(link, "ls /volume")).isEqualTo("a\nb\nsub");
        assertThat(calls.shell(file, "cat /volume")).isEqualTo("kept");
        for (String wrong : new String[] {"none", "escape", "../etc", "/conf", "conf/../../etc"}) {
            assertThat(refused(
                            Status.Code.INVALID_ARGUMENT,
                            () -> calls.create(pod, with(volume(DATA).setImageSubPath(wrong)))))
                    .startsWith("ImageVolumeMountFailed: cannot mount image " + DATA + " on /volume: ");
        }
    }

    @Test
    void anArtifactIsAFolderOfItsFiles() throws IOException {
        String container = calls.run(pod, with(volume(MODEL)));
        String part = calls.run(pod, with(volume(MODEL).setImageSubPath("weights")));

        assertThat(calls.shell(container, "cd /volume && find . -type f | sort"))
                .isEqualTo("./README.md\n./weights/model.bin");
        assertThat(calls.shell(container, "cat /volume/README.md")).isEqualTo("read me");
        assertThat(calls.shell(part, "stat -c '%s %a' /volume/model.bin; stat -c %a /volume"))
                .isEqualTo("200000 444\n755");
        assertThat(node.root().resolve("containers"))
                .satisfies(it -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(it)))
                        .isEqualTo("rwx------"));
    }

    @Test
    void anImageWithoutLayersIsAnEmptyFolder() {
        String container = calls.run(pod, with(volume("gantry.test/empty:latest")));

        assertThat(calls.shell(container, "ls -A /volume | wc -l; touch /volume/x 2>&1 || true"))
                .startsWith("0")
                .contains("Read-only file system");
    }

    @Test
    void anArtifactIsListedAndCannotBeRun() {
        assertThat(node.client()
                        .images()
                        .listImages(ListImagesRequest.getDefaultInstance())
                        .getImagesList())
                .filteredOn(it -> it.getRepoTagsList().contains(MODEL))
                .singleElement()
                .satisfies(it -> {
                    assertThat(it.getSize()).isGreaterThan(200_000);
                    assertThat(it.getRepoDigestsList()).hasSize(1);
                });
        ContainerConfig.Builder config = calls.sleeper("artifact");
        config.getImageBuilder().setImage(MODEL);
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.create(pod, config)))
                .contains("is an artifact, not an image that can be run");
    }

    @Test
    void isRefusedWithTheKubeletsWord() {
        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.create(pod, with(volume("gantry.test/none:1")))))
                .isEqualTo("ImageVolumeMountFailed: cannot mount image gantry.test/none:1 on /volume:"
                        + " image gantry.test/none:1 not found");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> calls.create(pod, with(volume(DATA).setReadonly(false)))))
                .endsWith("it is not read-only");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> calls.create(pod, with(volume(DATA).setHostPath("/etc")))))
                .endsWith("it has a host path too: /etc");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> calls.create(
                                pod,
                                with(volume(DATA).setPropagation(MountPropagation.PROPAGATION_HOST_TO_CONTAINER)))))
                .startsWith("ImageVolumeMountFailed: ");
    }

    @Test
    void isKeptAsLongAsItIsUsedEvenOverAKill() {
        String other = calls.run(calls.pod("other"));
        String container = calls.run(
                other,
                with(
                        volume("gantry.test/kept:latest"),
                        volume("gantry.test/kept-image:latest").setContainerPath("/data")));
        removeImage("gantry.test/kept:latest");
        removeImage("gantry.test/kept-image:latest");

        node.kill();
        node.start();
        // A removal collects everything that nobody needs.
        removeImage("gantry.test/spare:latest");

        assertThat(calls.shell(container, "stat -c %s /volume/data; cat /data/file"))
                .isEqualTo("100000\nkept");
        calls.stopPod(other);
        calls.removePod(other);
        await("nothing of it is left")
                .atMost(ChildNode.PATIENCE)
                .until(() -> node.left().stream().noneMatch(it -> it.contains(container)));
    }
}
