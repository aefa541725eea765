package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.InfoRequest;
import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.RemovePodSandboxRequest;
import dev.gantry.cri.runtime.v1.StopContainerRequest;
import dev.gantry.cri.runtime.v1.StopPodSandboxRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Ends pods as the kubelet does: all containers at the same time, each with its grace, then the
/// pod itself. Every step may be repeated.
final class PodStop {

    /// How long a call may take beyond the grace period; the kubelet's figure.
    private static final Duration MARGIN = Duration.ofMinutes(2);

    private final Connection connection;

    PodStop(Connection connection) {
        this.connection = connection;
    }

    void stopContainer(String id, Duration grace) {
        var _ = connection
                .runtime(grace.plus(MARGIN))
                .stopContainer(StopContainerRequest.newBuilder()
                        .setContainerId(id)
                        .setTimeout(grace.toSeconds())
                        .build());
    }

    /// Stops those of the containers that run, one thread each, and then the pod, even if one of
    /// them could not be stopped: the daemon kills what is left. The first failure is thrown.
    void stopPod(String id, List<Container> containers, Duration grace) throws InterruptedException {
        List<Callable<Void>> stops = new ArrayList<>();
        for (Container c : containers) {
            if (c.getState() == ContainerState.CONTAINER_RUNNING) {
                stops.add(() -> {
                    stopContainer(c.getId(), grace);
                    return null;
                });
            }
        }
        List<Future<Void>> done;
        try (ExecutorService threads = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("stop-", 0).factory())) {
            done = threads.invokeAll(stops);
        }
        var _ = connection
                .runtime()
                .stopPodSandbox(
                        StopPodSandboxRequest.newBuilder().setPodSandboxId(id).build());
        for (Future<Void> stop : done) {
            if (stop.state() == Future.State.FAILED && stop.exceptionNow() instanceof RuntimeException e) {
                throw e;
            }
        }
    }

    /// Removes a pod and, if `gantry run` made it, its logs.
    void removePod(String id, PodSandboxMetadata metadata) {
        var _ = connection
                .runtime()
                .removePodSandbox(
                        RemovePodSandboxRequest.newBuilder().setPodSandboxId(id).build());
        PodLogs.remove(logs(metadata));
    }

    private Path logs(PodSandboxMetadata metadata) {
        return PodLogs.directory(
                Path.of(connection
                        .gantry()
                        .info(InfoRequest.getDefaultInstance())
                        .getRoot()),
                metadata);
    }
}
