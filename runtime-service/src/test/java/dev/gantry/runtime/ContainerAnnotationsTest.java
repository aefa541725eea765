package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxNamespaces;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
        assertThat(ContainerAnnotations.of(CONFIG, POD, List.of()))
                .containsOnly(
                        Map.entry("io.kubernetes.cri.container-type", "container"),
                        Map.entry("io.kubernetes.cri.container-name", "app"),
                        Map.entry("io.kubernetes.cri.image-name", "example.org/app:1"),
                        Map.entry("io.kubernetes.cri.sandbox-id", POD.id().value()),
                        Map.entry("io.kubernetes.cri.sandbox-name", "web"),
                        Map.entry("io.kubernetes.cri.sandbox-namespace", "default"),
                        Map.entry("io.kubernetes.cri.sandbox-uid", "u-1"));
    }

    @Test
    void comeFromPodAndContainerOnlyByTheHandlersList() {
        assertThat(ContainerAnnotations.of(CONFIG, POD, List.of("io.katacontainers.*", "io.kubernetes.cri.*")))
                .containsEntry("io.katacontainers.config", "container")
                .containsEntry("io.kubernetes.cri.container-name", "app")
                .doesNotContainKey("other");
    }

    @ParameterizedTest
    @CsvSource({
        "a.b, a.b, true",
        "a.*, a.b.c, true",
        "a.*, axb, false",
        "*, a/b, false",
        "*/*, a/b, true",
        "a?c, abc, true",
        "*, io.kubernetes.cri.sandbox-id, false",
        "io.kubernetes.cri.*, io.kubernetes.cri.sandbox-id, false",
        "*, org.systemd.property.ExecStop, false",
        "org.*, org.systemd.property.ExecStop, false",
        "org.systemd.property.*, org.systemd.property.ExecStop, true",
        "*, run.oci.hooks.stderr, false",
        "run.oci.handler, run.oci.handler, true",
        "*, org.criu.config, false",
    })
    void withPowerPassOnlyWhereTheListNamesThem(String glob, String name, boolean allowed) {
        assertThat(ContainerAnnotations.allows(glob, name)).isEqualTo(allowed);
    }
}
