package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gantry.cri.runtime.v1.CDIDevice;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerEventType;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.KeyValue;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Containers that are made too late for their clients, as the specification of a device is long in coming.
@ExtendWith(DistributionRequired.class)
class LateContainersIT {

    private static final String KEPT = "made too late for its caller; kept for a retry";

    private ChildNode node;
    private TestCalls calls;
    private ImpatientClient client;
    private LeasedFile devices;
    private String pod;

    /// What the node has with the pod alone.
    private List<String> before;

    @BeforeEach
    void make() throws IOException {
        node = ChildNode.create();
        Path folder = Files.createDirectories(node.directory().resolve("cdi"));
        var _ = Files.writeString(folder.resolve("vendor.yaml"), """
            cdiVersion: 0.7.0
            kind: vendor.com/slow
            devices:
              - name: one
                containerEdits:
                  env: [DEVICE=one]
            """);
        node.set("runtime.cdi_dirs", "[" + ChildNode.quoted(folder) + "]");
        calls = node.calls();
        client = new ImpatientClient(node);
        devices = new LeasedFile(folder, "vendor.yaml");
        node.start();
        pod = calls.run(calls.pod("pod"));
        before = node.left();
    }

    @AfterEach
    void close() throws IOException {
        devices.close();
        node.close();
    }

    private ContainerConfig.Builder container() {
        return calls.sleeper("main")
                .addCDIDevices(CDIDevice.newBuilder().setName("vendor.com/slow=one"))
                .addEnvs(variable("A"))
                .addEnvs(variable("B"));
    }

    private static KeyValue variable(String name) {
        return KeyValue.newBuilder()
                .setKey(name)
                .setValue(ByteString.copyFromUtf8("set"))
                .build();
    }

    private void giveUpOn(ContainerConfig.Builder container) {
        client.giveUpOn(() -> calls.create(pod, container), devices::isWanted);
    }

    /// The id of the only container, which no client can ask for.
    private String hidden() throws IOException {
        try (Stream<Path> bundles = Files.list(node.state().resolve("tasks"))) {
            return bundles.map(it -> it.getFileName().toString())
                    .filter(it -> !it.equals(pod))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private void awaitNothingBut(List<String> expected) {
        await("the rest is gone")
                .atMost(ChildNode.PATIENCE)
                .untilAsserted(() -> assertThat(node.left()).containsExactlyInAnyOrderElementsOf(expected));
    }

    @Test
    void aRetryWaitsForTheContainerThatIsBeingMade() throws IOException {
        giveUpOn(container());

        CompletableFuture<String> retry = CompletableFuture.supplyAsync(() -> calls.create(pod, container()));
        assertThat(refused(
                        Status.Code.ALREADY_EXISTS,
                        () -> calls.create(pod, container().setWorkingDir("/tmp"))))
                .contains("main (attempt 0) of pod sandbox " + pod, "differs from this one");
        assertThat(calls.containers()).isEmpty();
        assertThat(retry).isNotDone();
        devices.release();

        String id = retry.join();
        assertThat(calls.status(id).getState()).isEqualTo(ContainerState.CONTAINER_CREATED);
        assertThat(calls.containers()).hasSize(1);
        assertThat(refused(Status.Code.ALREADY_EXISTS, () -> calls.create(pod, container())))
                .contains(id);
        calls.start(id);
        assertThat(calls.shell(id, "echo $DEVICE")).isEqualTo("one");
    }

    @Test
    void aRetryGetsTheContainerThatWasMadeMeanwhile() throws IOException {
        ImpatientClient.Heard heard = client.listen();
        giveUpOn(container());
        devices.release();
        client.awaitLog(KEPT);
        String id = hidden();
        assertThat(calls.containers()).as("containers that somebody knows of").isEmpty();
        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.status(id))).contains(id);
        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.start(id))).contains(id);
        calls.remove(id); // which does not find it either
        assertThat(heard.of(id)).isEmpty();

        // The kubelet has its variables in another order each time.
        assertThat(calls.create(
                        pod, container().clearEnvs().addEnvs(variable("B")).addEnvs(variable("A"))))
                .isEqualTo(id);

        heard.await(id, ContainerEventType.CONTAINER_CREATED_EVENT);
        assertThat(calls.containers())
                .singleElement()
                .satisfies(it -> assertThat(it.getId()).isEqualTo(id));
        calls.start(id);
        assertThat(calls.shell(id, "echo $DEVICE")).isEqualTo("one");
    }

    @Test
    void anotherRequestOfTheNameGetsTheContainerOutOfItsWay() throws IOException {
        giveUpOn(container());
        devices.release();
        client.awaitLog(KEPT);

        assertThat(refused(
                        Status.Code.ALREADY_EXISTS,
                        () -> calls.create(pod, container().setWorkingDir("/tmp"))))
                .contains("is removed now: try again");

        client.awaitLog("nobody asked again");
        assertThat(calls.shell(calls.run(pod, container().setWorkingDir("/tmp")), "echo $PWD"))
                .isEqualTo("/tmp");
        assertThat(calls.containers()).hasSize(1);
    }

    @Test
    void aContainerThatNobodyAsksForAgainIsRemoved() throws IOException {
        node.stop();
        node.set("runtime.late_result_timeout", "\"1s\"").start();
        ImpatientClient.Heard heard = client.listen();
        giveUpOn(container());
        devices.release();

        client.awaitLog("nobody asked again for what was made too late; it is removed");

        assertThat(calls.containers()).isEmpty();
        awaitNothingBut(before);
        assertThat(heard.all()).isEmpty();
    }

    @Test
    void aContainerThatWaitsForARetryGoesWithItsPod() throws IOException {
        giveUpOn(container());
        devices.release();
        client.awaitLog(KEPT);
        calls.stopPod(pod);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> calls.create(pod, container())))
                .contains("pod sandbox %s does not run".formatted(pod));

        calls.removePod(pod);

        awaitNothingBut(List.of());
        assertThat(refused(Status.Code.NOT_FOUND, () -> calls.create(pod, container())))
                .contains(pod);
    }

    @Test
    void aContainerWhosePodGoesWhileItIsMadeDoesNotStay() throws IOException {
        giveUpOn(container());
        calls.stopPod(pod);
        calls.removePod(pod);

        devices.release();

        awaitNothingBut(List.of());
    }
}
