package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import dev.gantry.cri.runtime.v1.ContainerEventType;
import dev.gantry.cri.runtime.v1.GetEventsRequest;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Pods that are made too late for their clients, as a network plugin takes its time.
@ExtendWith(DistributionRequired.class)
class LateResultsIT {

    private ChildNode node;
    private TestCalls calls;
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
    }

    @AfterEach
    void close() throws IOException {
        Files.deleteIfExists(hold);
        node.close();
    }

    /// As a client whose patience ends while the plugin is at work.
    private void giveUpOn(PodSandboxConfig.Builder pod) {
        Context.CancellableContext client = Context.current().withCancellation();
        CompletableFuture<String> first =
                CompletableFuture.supplyAsync(() -> uncheckedCall(client, () -> calls.run(pod)));
        await("the plugin runs").atMost(ChildNode.PATIENCE).until(() -> Files.exists(begun()));
        client.cancel(null);
        assertThat(first)
                .failsWithin(ChildNode.PATIENCE)
                .withThrowableThat()
                .withMessageContaining(Status.Code.CANCELLED.name());
    }

    private static <T> T uncheckedCall(Context context, Callable<T> call) {
        try {
            return context.call(call);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /// What clients are told from now on.
    private List<ContainerEventType> listen() {
        List<ContainerEventType> heard = new CopyOnWriteArrayList<>();
        Iterator<ContainerEventResponse> events =
                node.client().runtime().getContainerEvents(GetEventsRequest.getDefaultInstance());
        var _ = Thread.ofPlatform().daemon(true).start(() -> {
            try {
                events.forEachRemaining(it -> heard.add(it.getContainerEventType()));
            } catch (StatusRuntimeException _) {
                // the node is stopped
            }
        });
        return heard;
    }

    private Path begun() {
        return hold.resolveSibling("begun");
    }

    private void awaitLog(String text) {
        await(text).atMost(ChildNode.PATIENCE).until(() -> node.log().contains(text));
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
        List<ContainerEventType> heard = listen();
        PodSandboxConfig.Builder pod = calls.pod("pod");
        giveUpOn(pod);
        Files.delete(hold);
        awaitLog("made too late for its caller; kept for a retry");
        assertThat(calls.pods()).as("pods that somebody knows of").isEmpty();
        assertThat(heard).isEmpty();

        String id = calls.run(pod);

        await("its events are told")
                .atMost(ChildNode.PATIENCE)
                .until(() -> heard.equals(List.of(
                        ContainerEventType.CONTAINER_CREATED_EVENT, ContainerEventType.CONTAINER_STARTED_EVENT)));

        assertThat(calls.pods())
                .singleElement()
                .satisfies(it -> assertThat(it.getId()).isEqualTo(id));
        assertThat(calls.shell(calls.run(id, calls.sleeper("main")), "echo runs"))
                .isEqualTo("runs");
    }

    @Test
    void anotherRequestOfTheNameGetsThePodOutOfItsWay() throws IOException {
        node.start();
        PodSandboxConfig.Builder pod = calls.pod("pod");
        giveUpOn(pod);
        Files.delete(hold);
        awaitLog("made too late for its caller; kept for a retry");
        pod.setHostname("other");

        assertThat(refused(Status.Code.ALREADY_EXISTS, () -> calls.run(pod))).contains("is removed now: try again");

        awaitLog("nobody asked again");
        String id = calls.run(pod);
        assertThat(calls.shell(calls.run(id, calls.sleeper("main")), "hostname"))
                .isEqualTo("other");
    }

    @Test
    void aPodThatNobodyAsksForAgainIsRemoved() throws IOException {
        node.set("runtime.late_result_timeout", "\"1s\"");
        node.start();
        List<ContainerEventType> heard = listen();
        giveUpOn(calls.pod("pod"));
        Files.delete(hold);

        awaitLog("nobody asked again for what was made too late; it is removed");

        assertThat(calls.pods()).isEmpty();
        await("nothing is left")
                .atMost(ChildNode.PATIENCE)
                .until(() -> node.left().isEmpty());
        assertThat(heard).isEmpty();
    }
}
