package dev.gantry.daemon;

import static dev.gantry.cri.runtime.v1.ContainerEventType.CONTAINER_CREATED_EVENT;
import static dev.gantry.cri.runtime.v1.ContainerEventType.CONTAINER_DELETED_EVENT;
import static dev.gantry.cri.runtime.v1.ContainerEventType.CONTAINER_STARTED_EVENT;
import static dev.gantry.cri.runtime.v1.ContainerEventType.CONTAINER_STOPPED_EVENT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.GetEventsRequest;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.cri.runtime.v1.PodSandboxStatus;
import dev.gantry.cri.runtime.v1.PodSandboxStatusResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// What listeners are told of the lives of pods and containers.
@ExtendWith(DistributionRequired.class)
class ContainerEventsIT {

    private ChildNode node;
    private TestCalls calls;

    @BeforeEach
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
    }

    @AfterEach
    void close() throws IOException {
        node.close();
    }

    /// Listens until the daemon ends the stream.
    private static final class Listener {

        final List<ContainerEventResponse> heard = new CopyOnWriteArrayList<>();
        private final Thread thread;
        private volatile @Nullable Status end;

        Listener(ChildNode node) {
            Iterator<ContainerEventResponse> events =
                    node.client().runtime().getContainerEvents(GetEventsRequest.getDefaultInstance());
            this.thread = Thread.ofPlatform().daemon(true).start(() -> {
                try {
                    events.forEachRemaining(heard::add);
                } catch (StatusRuntimeException e) {
                    end = e.getStatus();
                }
            });
        }

        ContainerEventResponse await(Predicate<ContainerEventResponse> wanted) {
            org.awaitility.Awaitility.await()
                    .atMost(ChildNode.PATIENCE)
                    .until(() -> heard.stream().anyMatch(wanted));
            return heard.stream().filter(wanted).findFirst().orElseThrow();
        }

        Status ended() throws InterruptedException {
            thread.join(ChildNode.PATIENCE.toMillis());
            Status status = end;
            return Objects.requireNonNull(status, "the stream goes on");
        }

        List<String> of(String id) {
            return heard.stream()
                    .filter(it -> it.getContainerId().equals(id))
                    .map(it -> it.getContainerEventType().name())
                    .toList();
        }
    }

    @Test
    void everyListenerHearsOfEachStep() {
        Listener one = new Listener(node);
        Listener two = new Listener(node);
        String pod = calls.run(calls.pod("heard"));
        String container = calls.run(pod, calls.container("main", "sh", "-c", "exit 7"));
        var _ = calls.exited(container);
        PodSandboxStatusResponse status = calls.podStatus(pod);
        calls.remove(container);
        calls.stopPod(pod);
        calls.removePod(pod);

        for (Listener listener : List.of(one, two)) {
            var _ = listener.await(
                    it -> it.getContainerId().equals(pod) && it.getContainerEventType() == CONTAINER_DELETED_EVENT);
            List<String> whole = List.of(
                    CONTAINER_CREATED_EVENT.name(),
                    CONTAINER_STARTED_EVENT.name(),
                    CONTAINER_STOPPED_EVENT.name(),
                    CONTAINER_DELETED_EVENT.name());
            assertThat(listener.of(pod)).isEqualTo(whole);
            assertThat(listener.of(container)).isEqualTo(whole);
            assertThat(listener.heard).allSatisfy(it -> {
                assertThat(it.getCreatedAt()).isPositive();
                assertThat(it.getPodSandboxStatus().getId()).isEqualTo(pod);
                assertThat(it.getPodSandboxStatus().getMetadata().getName()).isEqualTo("heard");
            });
        }
        ContainerEventResponse stopped = one.await(
                it -> it.getContainerId().equals(container) && it.getContainerEventType() == CONTAINER_STOPPED_EVENT);
        assertThat(stopped.getPodSandboxStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
        assertThat(status.getContainersStatusesList()).isEqualTo(stopped.getContainersStatusesList());
        assertThat(status.getTimestamp()).isGreaterThan(stopped.getCreatedAt());
        assertThat(stopped.getContainersStatusesList()).singleElement().satisfies(it -> {
            assertThat(it.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
            assertThat(it.getExitCode()).isEqualTo(7);
            assertThat(it.getFinishedAt()).isPositive();
        });
        ContainerEventResponse deleted = one.await(
                it -> it.getContainerId().equals(pod) && it.getContainerEventType() == CONTAINER_DELETED_EVENT);
        assertThat(deleted.getContainersStatusesList()).isEmpty();
    }

    @Test
    void whoComesFirstHearsOfExitsThatTheDaemonMissed() throws Exception {
        String pod = calls.run(calls.pod("missed"));
        String container =
                calls.run(pod, calls.container("main", "sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done"));
        Listener before = new Listener(node);
        var _ = before.await(it -> it.getContainerId().equals(container));
        node.kill();
        node.processes().stream()
                .filter(it -> it.info()
                        .command()
                        .filter(path -> path.endsWith("busybox"))
                        .isPresent())
                .forEach(ProcessHandle::destroyForcibly);

        calls = node.start().calls();

        ContainerEventResponse stopped = new Listener(node)
                .await(it ->
                        it.getContainerId().equals(container) && it.getContainerEventType() == CONTAINER_STOPPED_EVENT);
        assertThat(stopped.getContainersStatusesList())
                .extracting(ContainerStatus::getState)
                .containsExactly(ContainerState.CONTAINER_EXITED);
        assertThat(stopped.getPodSandboxStatus())
                .extracting(PodSandboxStatus::getState)
                .isEqualTo(PodSandboxState.SANDBOX_READY);
    }

    @Test
    void listenersDoNotKeepTheDaemonFromEnding() throws Exception {
        Listener listener = new Listener(node);
        String pod = calls.run(calls.pod("ending"));
        var _ = listener.await(it -> it.getContainerId().equals(pod));

        node.stop();

        Status end = listener.ended();
        assertThat(end.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(end.getDescription()).contains("subscribe again");
        calls = node.start().calls();
        await().atMost(ChildNode.PATIENCE)
                .untilAsserted(() -> assertThat(calls.pods()).hasSize(1));
    }
}
