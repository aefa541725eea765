package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.KeyValue;
import dev.gantry.cri.runtime.v1.Mount;
import java.util.Comparator;
import java.util.List;

/// Two requests ask for the same container when these are equal.
///
/// The kubelet does not send a retry exactly as the call before it: it goes through a map to set the environment, and
/// the file for the termination message gets a name by chance each time.
///
/// @param config with these differences taken out
record SameContainer(String sandbox, ContainerConfig config) {

    private static final String TERMINATION_MESSAGE = "io.kubernetes.container.terminationMessagePath";

    static SameContainer of(String sandbox, ContainerConfig config) {
        String message = config.getAnnotationsOrDefault(TERMINATION_MESSAGE, "");
        // Stable: the last of two variables of one name counts.
        List<KeyValue> environment = config.getEnvsList().stream()
                .sorted(Comparator.comparing(KeyValue::getKey))
                .toList();
        List<Mount> mounts = config.getMountsList().stream()
                .map(it -> it.getContainerPath().equals(message) ? inFolder(it) : it)
                .toList();
        return new SameContainer(
                sandbox,
                config.toBuilder()
                        .clearEnvs()
                        .addAllEnvs(environment)
                        .clearMounts()
                        .addAllMounts(mounts)
                        .build());
    }

    private static Mount inFolder(Mount mount) {
        String path = mount.getHostPath();
        return mount.toBuilder()
                .setHostPath(path.substring(0, path.lastIndexOf('/') + 1))
                .build();
    }
}
