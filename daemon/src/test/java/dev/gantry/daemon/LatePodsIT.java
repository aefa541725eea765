package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerEventType;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.cri.runtime.v1.RunPodSandboxRequest;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Pods that are made too late for their clients, as a network plugin takes its time.
@ExtendWith(DistributionRequired.class)
class LatePodsIT {

    private ChildNode node;
    private TestCalls calls;
    private ImpatientClient client;
    private Path hold;

    /// The plugin waits for as long as the file is there.
    @BeforeEach
    void make() throws IOException {
        node = ChildNode.create();
        hold = Files.createFile(node.directory().resolve("hold"));
        Path plugins = Files.createDirectories(node.directory().resolve("plugins"));
        Path plugin = Files.writeString(plugins.resolve("slow"), """
            #!/bin/sh
            [ $CNI_COMMAND = ADD ] || exit 0
            touch %s
            while [ -e %s ]; do sleep 0.05; done
            echo '{"cniVersion":"1.0.0","ips":[{"address":"10.250.0.2/24"}]}'
            """.formatted(begun(), hold));
        Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
        node.set("cni.bin_dirs", "[" + ChildNode.quoted(plugins) + "]");
        node.network("{\"cniVersion\": \"1.0.0\", \"name\": \"slow\", \"plugins\": [{\"type\": \"slow\"}]}");
        calls = node.calls();
        client = new ImpatientClient(node);
    }

    @AfterEach
    void close() throws IOException {
        Files.deleteIfExists(hold);
        node.close();
    }

    private void giveUpOn(PodSandboxConfig.Builder pod) {
        client.giveUpOn(() -> calls.run(pod), () -> Files.exists(begun()));
    }

    private Path begun() {
        return hold.resolveSibling("begun");
    }

    @Test
    void aRetryWaitsForThePodThatIsBeingMade() throws IOException {
        node.start();
        PodSandboxConfig.Builder pod = calls.pod("pod");
        giveUpOn(pod);

        CompletableFuture<String> retry = CompletableFuture.supplyAsync(() -> calls.run(pod));
        assertThat(refused(
                        Status.Code.ALREADY_EXISTS, () -> calls.run(pod.clone().setHostname("other"))))
                .contains("pod_test", "differs from this one");
        assertThat(retry).isNotDone();
        Files.delete(hold);

        String id = retry.join();
        assertThat(calls.podStatus(id).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
        assertThat(calls.pods()).hasSize(1);
        assertThat(refused(Status.Code.ALREADY_EXISTS, () -> calls.run(pod))).contains(id);
    }

    @Test
    void aRetryGetsThePodThatWasMadeMeanwhile() throws IOException {
        node.start();
        ImpatientClient.Heard heard = client.listen();
        PodSandboxConfig.Builder pod = calls.pod("pod");
        giveUpOn(pod);
        Files.delete(hold);
        client.awaitLog("made too late for its caller; kept for a retry");
        assertThat(calls.pods()).as("pods that somebody knows of").isEmpty();
        assertThat(heard.all()).isEmpty();

        String id = calls.run(pod);

        heard.await(id, ContainerEventType.CONTAINER_CREATED_EVENT, ContainerEventType.CONTAINER_STARTED_EVENT);
        assertThat(calls.pods())
                .singleElement()
                .satisfies(it -> assertThat(it.getId()).isEqualTo(id));
        assertThat(calls.shell(calls.run(id, calls.sleeper("main")), "echo runs"))
                .isEqualTo("runs");
    }

    /// As the kubelet asks: it gives nothing up itself, its deadline passes.
    @Test
    void aDeadlineThatPassesCostsNoPod() throws IOException {
        node.start();
        PodSandboxConfig.Builder pod = calls.pod("pod");
        RunPodSandboxRequest request =
                RunPodSandboxRequest.newBuilder().setConfig(pod).build();
        var runtime = node.client().runtime().withDeadlineAfter(2, TimeUnit.SECONDS);
        refused(Status.Code.DEADLINE_EXCEEDED, () -> runtime.runPodSandbox(request));
        assertThat(begun()).exists();
        Files.delete(hold);
        client.awaitLog("made too late for its caller; kept for a retry");

        String id = calls.run(pod);

        assertThat(calls.pods())
                .singleElement()
                .satisfies(it -> assertThat(it.getId()).isEqualTo(id));
    }

    @Test
    void anotherRequestOfTheNameGetsThePodOutOfItsWay() throws IOException {
        node.start();
        PodSandboxConfig.Builder pod = calls.pod("pod");
        giveUpOn(pod);
        Files.delete(hold);
        client.awaitLog("made too late for its caller; kept for a retry");
        pod.setHostname("other");

        assertThat(refused(Status.Code.ALREADY_EXISTS, () -> calls.run(pod))).contains("is removed now: try again");

        client.awaitLog("nobody asked again");
        String id = calls.run(pod);
        assertThat(calls.shell(calls.run(id, calls.sleeper("main")), "hostname"))
                .isEqualTo("other");
    }

    @Test
    void aPodThatNobodyAsksForAgainIsRemoved() throws IOException {
        node.set("runtime.late_result_timeout", "\"1s\"");
        node.start();
        ImpatientClient.Heard heard = client.listen();
        giveUpOn(calls.pod("pod"));
        Files.delete(hold);

        client.awaitLog("nobody asked again for what was made too late; it is removed");

        assertThat(calls.pods()).isEmpty();
        await("nothing is left")
                .atMost(ChildNode.PATIENCE)
                .until(() -> node.left().isEmpty());
        assertThat(heard.all()).isEmpty();
    }
}
