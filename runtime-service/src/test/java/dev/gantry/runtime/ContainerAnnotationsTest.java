package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxNamespaces;
import dev.gantry.shim.ConfiguredOptions;
import dev.gantry.shim.ShimBinary;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContainerAnnotationsTest {

    private static final ContainerConfig CONFIG = ContainerConfig.newBuilder()
            .setMetadata(ContainerMetadata.newBuilder().setName("app"))
            .setImage(ImageSpec.newBuilder().setImage("sha256:1").setUserSpecifiedImage("example.org/app:1"))
            .putAnnotations("io.katacontainers.config", "container")
            .putAnnotations("other", "x")
            .build();

    private static final Sandbox POD = TestPods.sandbox(
            SandboxNamespaces.OWN,
            false,
            Map.of("io.katacontainers.config", "pod", "io.kubernetes.cri.container-name", "forged"));

    @Test
    void nameContainerImageAndPod() {
        assertThat(ContainerAnnotations.of(CONFIG, POD, handler(List.of(), List.of())))
                .containsOnly(
                        Map.entry("io.kubernetes.cri.container-type", "container"),
                        Map.entry("io.kubernetes.cri.container-name", "app"),
                        Map.entry("io.kubernetes.cri.image-name", "example.org/app:1"),
                        Map.entry("io.kubernetes.cri.sandbox-id", POD.id().value()),
                        Map.entry("io.kubernetes.cri.sandbox-name", "web"),
                        Map.entry("io.kubernetes.cri.sandbox-namespace", "default"),
                        Map.entry("io.kubernetes.cri.sandbox-uid", "u-1"));
    }

    private static RuntimeHandler handler(List<String> ofPods, List<String> ofContainers) {
        return new RuntimeHandler(
                "runc",
                new ShimBinary(Path.of("/bin/shim"), Optional.empty()),
                ConfiguredOptions.NONE,
                "overlayfs",
                ofPods,
                ofContainers,
                Optional.empty(),
                true,
                false);
    }

    @Test
    void comeFromPodAndContainerOnlyByTheHandlersLists() {
        List<String> globs = List.of("io.katacontainers.*", "io.kubernetes.cri.*");

        assertThat(ContainerAnnotations.of(CONFIG, POD, handler(globs, List.of())))
                .containsEntry("io.katacontainers.config", "pod")
                .containsEntry("io.kubernetes.cri.container-name", "app");
        assertThat(ContainerAnnotations.of(CONFIG, POD, handler(globs, globs)))
                .containsEntry("io.katacontainers.config", "container")
                .doesNotContainKey("other");
        assertThat(ContainerAnnotations.of(CONFIG, POD, handler(List.of(), List.of("other"))))
                .containsEntry("other", "x")
                .doesNotContainKey("io.katacontainers.config");
    }
}
