package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.sandbox.SandboxId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Containers as rows, for tests of what becomes of them.
final class TestContainers {

    private TestContainers() {}

    static Container in(ContainerState state) {
        return in(SandboxId.random(), state);
    }

    static Container in(SandboxId sandbox, ContainerState state) {
        ContainerConfig config = ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder().setName("main"))
                .putLabels("app", "web")
                .build();
        return container(SandboxId.random().value(), sandbox, state, config, "");
    }

    /// One whose streams and log are of interest.
    static Container created(String id, ContainerConfig config, String logPath) {
        return container(id, SandboxId.random(), ContainerState.CREATED, config, logPath);
    }

    private static Container container(
            String id, SandboxId sandbox, ContainerState state, ContainerConfig config, String logPath) {
        return new Container(
                id,
                sandbox,
                "main_web_default_u-1_0",
                config,
                "sha256:1",
                "example.org/app:1",
                "overlayfs",
                state,
                Instant.EPOCH,
                Optional.of(Instant.EPOCH.plusSeconds(1)),
                Optional.empty(),
                0,
                "",
                "",
                0,
                "boot",
                logPath,
                new ContainerUser(0, 0, List.of()),
                LinuxContainerResources.getDefaultInstance(),
                15,
                RecordedCgroups.PATH,
                List.of());
    }
}
