package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.ListPodSandboxRequest;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// What the next daemon knows of the pods of one that was killed.
class RestartIT {

    private static final int EXIT_CODE = 7;

    @Test
    void findsPodsRunningAndExitsTrueAfterBeingKilled() throws IOException, InterruptedException {
        try (TestNode node = TestNode.start()) {
            SamplePod.Program shortLived = new SamplePod.Program(
                    SamplePod.Program.HELLO.image(), List.of("exit", Integer.toString(EXIT_CODE), "3"), List.of());
            SamplePod serving;
            SamplePod ending;
            try (CriClient client = new CriClient(node.socket())) {
                serving = started(node, client, SamplePod.Program.HELLO);
                ending = started(node, client, shortLived);
            }
            long killed = System.currentTimeMillis();

            node.kill();
            TimeUnit.SECONDS.sleep(5);
            node.restart();

            try (CriClient client = new CriClient(node.socket())) {
                assertThat(client.runtime()
                                .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                                .getItemsList())
                        .extracting(PodSandbox::getId, PodSandbox::getState)
                        .containsExactlyInAnyOrder(
                                tuple(serving.sandbox(), PodSandboxState.SANDBOX_READY),
                                tuple(ending.sandbox(), PodSandboxState.SANDBOX_READY));
                assertExited(ending.through(client).status(), killed);
                useAndRemove(serving.through(client));
            }
        }
    }

    private static SamplePod started(TestNode node, CriClient client, SamplePod.Program program) {
        SamplePod pod = new SamplePod(client, program, node.directory().resolve("pod-logs"));
        pod.run();
        pod.createContainer();
        pod.startContainer();
        return pod;
    }

    private static void assertExited(ContainerStatus status, long killedMillis) {
        assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(status.getExitCode()).isEqualTo(EXIT_CODE);
        assertThat(TimeUnit.NANOSECONDS.toMillis(status.getFinishedAt()) - killedMillis)
                .as("when it ended, not when the daemon learnt of it")
                .isBetween(0L, 4500L);
    }

    private static void useAndRemove(SamplePod pod) throws IOException {
        assertThat(pod.status().getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        pod.exec();
        pod.stopContainer();
        assertThat(pod.status().getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(Files.readString(pod.log())).contains("serving on port 8080");
        pod.removeContainer();
        pod.stop();
        pod.remove();
    }
}
