package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerResources;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.LinuxContainerUser;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.Signal;
import dev.gantry.linux.Signals;
import dev.gantry.storage.Times;
import java.util.List;

/// Containers as CRI messages.
final class CriContainers {

    private CriContainers() {}

    static dev.gantry.cri.runtime.v1.ContainerState state(ContainerState state) {
        return switch (state) {
            case CREATING, CREATED, STARTING -> dev.gantry.cri.runtime.v1.ContainerState.CONTAINER_CREATED;
            case RUNNING -> dev.gantry.cri.runtime.v1.ContainerState.CONTAINER_RUNNING;
            case EXITED, REMOVING -> dev.gantry.cri.runtime.v1.ContainerState.CONTAINER_EXITED;
        };
    }

    /// What lists show of a container.
    static dev.gantry.cri.runtime.v1.Container item(Container container) {
        ContainerConfig config = container.config();
        return dev.gantry.cri.runtime.v1.Container.newBuilder()
                .setId(container.id())
                .setPodSandboxId(container.sandbox().value())
                .setMetadata(config.getMetadata())
                .setImage(config.getImage())
                .setImageRef(container.imageRef())
                .setImageId(container.imageId())
                .setState(state(container.state()))
                .setCreatedAt(Times.nanos(container.created()))
                .putAllLabels(config.getLabelsMap())
                .putAllAnnotations(config.getAnnotationsMap())
                .build();
    }

    static ContainerStatus status(Container container) {
        ContainerConfig config = container.config();
        ContainerStatus.Builder status = ContainerStatus.newBuilder()
                .setId(container.id())
                .setMetadata(config.getMetadata())
                .setState(state(container.state()))
                .setCreatedAt(Times.nanos(container.created()))
                .setExitCode(container.exitCode())
                .setImage(config.getImage().toBuilder().setImage(ContainerAnnotations.imageName(config.getImage())))
                .setImageRef(container.imageRef())
                .setImageId(container.imageId())
                .setReason(container.reason())
                .setMessage(container.message())
                .putAllLabels(config.getLabelsMap())
                .putAllAnnotations(config.getAnnotationsMap())
                .addAllMounts(mounts(container))
                .setLogPath(container.logPath())
                .setResources(ContainerResources.newBuilder().setLinux(container.resources()))
                .setUser(dev.gantry.cri.runtime.v1.ContainerUser.newBuilder()
                        .setLinux(LinuxContainerUser.newBuilder()
                                .setUid(container.user().uid())
                                .setGid(container.user().gid())
                                .addAllSupplementalGroups(container.user().groups())))
                .setStopSignal(signal(container.stopSignal()));
        container.started().ifPresent(it -> status.setStartedAt(Times.nanos(it)));
        container.finished().ifPresent(it -> status.setFinishedAt(Times.nanos(it)));
        return status.build();
    }

    /// As they were asked for, those of images with what the name led to.
    private static List<Mount> mounts(Container container) {
        return container.config().getMountsList().stream()
                .map(mount -> container.images().stream()
                        .filter(it -> ImageMounts.isWanted(mount)
                                && it.path()
                                        .equals(ContainerMounts.destination(mount)
                                                .value()))
                        .findFirst()
                        .map(it -> mount.toBuilder()
                                .setImage(mount.getImage().toBuilder().setImageRef(it.ref()))
                                .build())
                        .orElse(mount))
                .toList();
    }

    /// The first CRI name of a signal; several names may mean one number.
    private static Signal signal(int number) {
        for (Signal signal : Signal.values()) {
            if (signal != Signal.UNRECOGNIZED && signal != Signal.SIGNAL_RUNTIME_DEFAULT && number(signal) == number) {
                return signal;
            }
        }
        return Signal.SIGNAL_RUNTIME_DEFAULT;
    }

    /// `SIGNAL_SIGRTMINPLUS1` is `SIGRTMIN+1`.
    static int number(Signal signal) {
        String name =
                signal.name().substring("SIGNAL_".length()).replace("PLUS", "+").replace("MINUS", "-");
        return Signals.number(name);
    }
}
