package dev.gantry.runtime;

import static dev.gantry.cri.runtime.v1.ContainerEventType.CONTAINER_CREATED_EVENT;
import static dev.gantry.cri.runtime.v1.ContainerEventType.CONTAINER_DELETED_EVENT;
import static dev.gantry.cri.runtime.v1.ContainerEventType.CONTAINER_STARTED_EVENT;
import static dev.gantry.cri.runtime.v1.ContainerEventType.CONTAINER_STOPPED_EVENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import dev.gantry.cri.runtime.v1.ContainerEventType;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.storage.Commit;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContainerEventTest {

    private static List<ContainerEventType> container(ContainerState before, ContainerState after) {
        Container container = TestContainers.in(before);
        return ContainerEvent.ofContainer(
                new Commit.Changed<>(Optional.of(container), Optional.of(container.in(after))));
    }

    private static List<ContainerEventType> sandbox(SandboxState before, SandboxState after) {
        Sandbox sandbox = TestPods.sandbox();
        return ContainerEvent.ofSandbox(
                new Commit.Changed<>(Optional.of(sandbox.in(before)), Optional.of(sandbox.in(after))));
    }

    @Test
    void eachStepOfALifeIsOneEvent() {
        assertThat(container(ContainerState.CREATING, ContainerState.CREATED)).containsExactly(CONTAINER_CREATED_EVENT);
        assertThat(container(ContainerState.CREATED, ContainerState.STARTING)).isEmpty();
        assertThat(container(ContainerState.STARTING, ContainerState.RUNNING)).containsExactly(CONTAINER_STARTED_EVENT);
        assertThat(container(ContainerState.RUNNING, ContainerState.RUNNING)).isEmpty();
        assertThat(container(ContainerState.RUNNING, ContainerState.EXITED)).containsExactly(CONTAINER_STOPPED_EVENT);
        assertThat(container(ContainerState.EXITED, ContainerState.REMOVING)).containsExactly(CONTAINER_DELETED_EVENT);
    }

    @Test
    void aContainerThatNeverRanStopsAndGoesToo() {
        assertThat(container(ContainerState.STARTING, ContainerState.EXITED)).containsExactly(CONTAINER_STOPPED_EVENT);
        assertThat(container(ContainerState.CREATED, ContainerState.EXITED)).containsExactly(CONTAINER_STOPPED_EVENT);
        assertThat(container(ContainerState.CREATED, ContainerState.REMOVING)).containsExactly(CONTAINER_DELETED_EVENT);
    }

    @Test
    void whatClientsNeverSawIsNoEvent() {
        Container creating = TestContainers.in(ContainerState.CREATING);

        assertThat(ContainerEvent.ofContainer(new Commit.Changed<>(Optional.empty(), Optional.of(creating))))
                .isEmpty();
        assertThat(ContainerEvent.ofContainer(new Commit.Changed<>(Optional.of(creating), Optional.empty())))
                .isEmpty();
        assertThat(ContainerEvent.ofContainer(
                        new Commit.Changed<>(Optional.of(creating.in(ContainerState.REMOVING)), Optional.empty())))
                .isEmpty();
        assertThat(container(ContainerState.REMOVING, ContainerState.EXITED)).isEmpty();
    }

    @Test
    void aSandboxIsCreatedAndStartedAtOnce() {
        assertThat(sandbox(SandboxState.CREATING, SandboxState.READY))
                .containsExactly(CONTAINER_CREATED_EVENT, CONTAINER_STARTED_EVENT);
        assertThat(sandbox(SandboxState.READY, SandboxState.STOPPING)).containsExactly(CONTAINER_STOPPED_EVENT);
        assertThat(sandbox(SandboxState.STOPPING, SandboxState.STOPPED)).isEmpty();
        assertThat(sandbox(SandboxState.STOPPED, SandboxState.REMOVING)).containsExactly(CONTAINER_DELETED_EVENT);
        assertThat(sandbox(SandboxState.REMOVING, SandboxState.STOPPED)).isEmpty();
        assertThat(sandbox(SandboxState.CREATING, SandboxState.STOPPED)).isEmpty();
    }

    @Test
    void tellsTheWholePod() {
        Sandbox sandbox = TestPods.sandbox();
        Container one = TestContainers.in(sandbox.id(), ContainerState.RUNNING);
        Container two = TestContainers.in(sandbox.id(), ContainerState.EXITED);

        ContainerEventResponse message = new ContainerEvent(
                        Instant.EPOCH.plusNanos(5),
                        two.id(),
                        CONTAINER_STOPPED_EVENT,
                        Optional.of(sandbox),
                        List.of(one, two))
                .message();

        assertThat(message.getContainerId()).isEqualTo(two.id());
        assertThat(message.getContainerEventType()).isEqualTo(CONTAINER_STOPPED_EVENT);
        assertThat(message.getCreatedAt()).isEqualTo(5);
        assertThat(message.getPodSandboxStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
        assertThat(message.getPodSandboxStatus().getMetadata().getUid()).isEqualTo("u-1");
        assertThat(message.getContainersStatusesList())
                .extracting(it -> it.getId())
                .containsExactly(one.id(), two.id());
    }
}
