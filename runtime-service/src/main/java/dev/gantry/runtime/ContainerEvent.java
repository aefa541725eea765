package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import dev.gantry.cri.runtime.v1.ContainerEventType;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.storage.Commit;
import dev.gantry.storage.Times;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Something that happened to a container or to a pod sandbox, whose events carry its own id, with the pod as it was
/// right after.
///
/// @param sandbox    of the pod; empty if it was gone already
/// @param containers those of the pod that clients see
record ContainerEvent(
        Instant at, String id, ContainerEventType type, Optional<Sandbox> sandbox, List<Container> containers) {

    /// What a change of a container's row means to clients. A removal that failed and shows the container again is
    /// no event.
    static List<ContainerEventType> ofContainer(Commit.Changed<Container> changed) {
        boolean wasVisible = changed.before().map(it -> it.state().isVisible()).orElse(false);
        boolean isVisible = changed.after().map(it -> it.state().isVisible()).orElse(false);
        ContainerState before = changed.before().map(Container::state).orElse(ContainerState.CREATING);
        if (wasVisible && !isVisible) {
            return List.of(ContainerEventType.CONTAINER_DELETED_EVENT);
        }
        if (!isVisible || before == ContainerState.REMOVING) {
            return List.of();
        }
        ContainerState now = changed.after().orElseThrow().state();
        List<ContainerEventType> types = new ArrayList<>();
        if (!wasVisible) {
            types.add(ContainerEventType.CONTAINER_CREATED_EVENT);
        }
        if (now == ContainerState.RUNNING && before != ContainerState.RUNNING) {
            types.add(ContainerEventType.CONTAINER_STARTED_EVENT);
        }
        if (now == ContainerState.EXITED && before != ContainerState.EXITED) {
            types.add(ContainerEventType.CONTAINER_STOPPED_EVENT);
        }
        return types;
    }

    /// As [#ofContainer]. A sandbox is created and started at once, and has stopped as soon as it is not ready.
    static List<ContainerEventType> ofSandbox(Commit.Changed<Sandbox> changed) {
        SandboxState before = changed.before().map(Sandbox::state).orElse(SandboxState.CREATING);
        SandboxState now = changed.after().map(Sandbox::state).orElse(SandboxState.REMOVING);
        if (before.isVisible() && !now.isVisible()) {
            return List.of(ContainerEventType.CONTAINER_DELETED_EVENT);
        }
        if (now == SandboxState.READY && before != SandboxState.READY) {
            return List.of(ContainerEventType.CONTAINER_CREATED_EVENT, ContainerEventType.CONTAINER_STARTED_EVENT);
        }
        if (before == SandboxState.READY && now != SandboxState.READY) {
            return List.of(ContainerEventType.CONTAINER_STOPPED_EVENT);
        }
        return List.of();
    }

    ContainerEventResponse message() {
        ContainerEventResponse.Builder message = ContainerEventResponse.newBuilder()
                .setContainerId(id)
                .setContainerEventType(type)
                .setCreatedAt(Times.nanos(at));
        sandbox.ifPresent(it -> message.setPodSandboxStatus(CriSandboxes.status(it)));
        containers.forEach(it -> message.addContainersStatuses(CriContainers.status(it)));
        return message.build();
    }
}
