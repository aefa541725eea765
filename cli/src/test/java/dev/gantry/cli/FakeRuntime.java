package dev.gantry.cli;

import com.google.protobuf.ByteString;
import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import dev.gantry.cri.runtime.v1.ContainerStatusResponse;
import dev.gantry.cri.runtime.v1.CreateContainerRequest;
import dev.gantry.cri.runtime.v1.CreateContainerResponse;
import dev.gantry.cri.runtime.v1.ExecSyncRequest;
import dev.gantry.cri.runtime.v1.ExecSyncResponse;
import dev.gantry.cri.runtime.v1.ListContainersRequest;
import dev.gantry.cri.runtime.v1.ListContainersResponse;
import dev.gantry.cri.runtime.v1.ListPodSandboxRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxResponse;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxNetworkStatus;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.cri.runtime.v1.PodSandboxStatus;
import dev.gantry.cri.runtime.v1.PodSandboxStatusRequest;
import dev.gantry.cri.runtime.v1.PodSandboxStatusResponse;
import dev.gantry.cri.runtime.v1.RemoveContainerRequest;
import dev.gantry.cri.runtime.v1.RemoveContainerResponse;
import dev.gantry.cri.runtime.v1.RemovePodSandboxRequest;
import dev.gantry.cri.runtime.v1.RemovePodSandboxResponse;
import dev.gantry.cri.runtime.v1.RunPodSandboxRequest;
import dev.gantry.cri.runtime.v1.RunPodSandboxResponse;
import dev.gantry.cri.runtime.v1.RuntimeServiceGrpc;
import dev.gantry.cri.runtime.v1.RuntimeStatus;
import dev.gantry.cri.runtime.v1.StartContainerRequest;
import dev.gantry.cri.runtime.v1.StartContainerResponse;
import dev.gantry.cri.runtime.v1.StatusRequest;
import dev.gantry.cri.runtime.v1.StatusResponse;
import dev.gantry.cri.runtime.v1.StopContainerRequest;
import dev.gantry.cri.runtime.v1.StopContainerResponse;
import dev.gantry.cri.runtime.v1.StopPodSandboxRequest;
import dev.gantry.cri.runtime.v1.StopPodSandboxResponse;
import dev.gantry.cri.runtime.v1.VersionRequest;
import dev.gantry.cri.runtime.v1.VersionResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/// The runtime service of a [FakeNode].
final class FakeRuntime extends RuntimeServiceGrpc.RuntimeServiceImplBase {

    final Map<String, PodSandboxConfig> pods = new ConcurrentSkipListMap<>();
    final Map<String, PodSandboxState> states = new ConcurrentHashMap<>();
    final Map<String, Long> created = new ConcurrentHashMap<>();
    final Map<String, FakeContainer> containers = new ConcurrentSkipListMap<>();
    volatile ExecSyncResponse execAnswer = ExecSyncResponse.getDefaultInstance();

    private final FakeNode node;
    private final AtomicInteger ids = new AtomicInteger();

    FakeRuntime(FakeNode node) {
        this.node = node;
    }

    private static <T> void answer(StreamObserver<T> observer, Supplier<T> work) {
        T value;
        try {
            value = work.get();
        } catch (StatusRuntimeException e) {
            observer.onError(e);
            return;
        }
        observer.onNext(value);
        observer.onCompleted();
    }

    private String nextId(char kind) {
        return "%c%02d".formatted(kind, ids.incrementAndGet()) + "0".repeat(61);
    }

    private FakeContainer container(String id) {
        FakeContainer found = containers.get(id);
        if (found == null) {
            throw Status.NOT_FOUND
                    .withDescription("container %s not found".formatted(id))
                    .asRuntimeException();
        }
        return found;
    }

    @Override
    public void version(VersionRequest request, StreamObserver<VersionResponse> observer) {
        answer(observer, () -> {
            node.called("Version", "");
            return VersionResponse.newBuilder()
                    .setVersion("0.1.0")
                    .setRuntimeName("gantry")
                    .setRuntimeVersion("0.1.0")
                    .setRuntimeApiVersion("v1")
                    .build();
        });
    }

    @Override
    public void status(StatusRequest request, StreamObserver<StatusResponse> observer) {
        answer(
                observer,
                () -> StatusResponse.newBuilder()
                        .setStatus(RuntimeStatus.newBuilder().addAllConditions(node.conditions))
                        .build());
    }

    @Override
    public void runPodSandbox(RunPodSandboxRequest request, StreamObserver<RunPodSandboxResponse> observer) {
        answer(observer, () -> {
            node.called("RunPodSandbox", request.getConfig().getMetadata().getName());
            String id = nextId('a');
            pods.put(id, request.getConfig());
            states.put(id, PodSandboxState.SANDBOX_READY);
            created.put(id, FakeContainer.nanos());
            return RunPodSandboxResponse.newBuilder().setPodSandboxId(id).build();
        });
    }

    @Override
    public void podSandboxStatus(PodSandboxStatusRequest request, StreamObserver<PodSandboxStatusResponse> observer) {
        answer(observer, () -> {
            String id = request.getPodSandboxId();
            PodSandboxConfig pod = pods.get(id);
            if (pod == null) {
                throw Status.NOT_FOUND
                        .withDescription("pod %s not found".formatted(id))
                        .asRuntimeException();
            }
            return PodSandboxStatusResponse.newBuilder()
                    .setStatus(PodSandboxStatus.newBuilder()
                            .setId(id)
                            .setMetadata(pod.getMetadata())
                            .setState(state(id))
                            .setCreatedAt(created.getOrDefault(id, 1L))
                            .setNetwork(PodSandboxNetworkStatus.newBuilder().setIp("10.88.0.7"))
                            .putAllLabels(pod.getLabelsMap())
                            .putAllAnnotations(pod.getAnnotationsMap()))
                    .build();
        });
    }

    private PodSandboxState state(String id) {
        return states.getOrDefault(id, PodSandboxState.SANDBOX_NOTREADY);
    }

    @Override
    public void listPodSandbox(ListPodSandboxRequest request, StreamObserver<ListPodSandboxResponse> observer) {
        answer(observer, () -> {
            node.called("ListPodSandbox", "");
            var response = ListPodSandboxResponse.newBuilder();
            pods.forEach((id, pod) -> response.addItems(PodSandbox.newBuilder()
                    .setId(id)
                    .setMetadata(pod.getMetadata())
                    .setState(state(id))
                    .setCreatedAt(created.getOrDefault(id, 1L))
                    .putAllLabels(pod.getLabelsMap())
                    .putAllAnnotations(pod.getAnnotationsMap())));
            return response.build();
        });
    }

    @Override
    public void stopPodSandbox(StopPodSandboxRequest request, StreamObserver<StopPodSandboxResponse> observer) {
        answer(observer, () -> {
            node.called("StopPodSandbox", "");
            states.replace(request.getPodSandboxId(), PodSandboxState.SANDBOX_NOTREADY);
            of(request.getPodSandboxId()).forEach(c -> c.stop(0));
            return StopPodSandboxResponse.getDefaultInstance();
        });
    }

    private Iterable<FakeContainer> of(String pod) {
        return containers.values().stream().filter(c -> c.pod.equals(pod)).toList();
    }

    @Override
    public void removePodSandbox(RemovePodSandboxRequest request, StreamObserver<RemovePodSandboxResponse> observer) {
        answer(observer, () -> {
            node.called("RemovePodSandbox", "");
            of(request.getPodSandboxId()).forEach(c -> {
                c.stop(0);
                containers.remove(c.id);
            });
            pods.remove(request.getPodSandboxId());
            return RemovePodSandboxResponse.getDefaultInstance();
        });
    }

    @Override
    public void createContainer(CreateContainerRequest request, StreamObserver<CreateContainerResponse> observer) {
        answer(observer, () -> {
            node.called("CreateContainer", request.getConfig().getMetadata().getName());
            PodSandboxConfig pod = pods.get(request.getPodSandboxId());
            if (pod == null || !pod.equals(request.getSandboxConfig())) {
                throw Status.INVALID_ARGUMENT
                        .withDescription("the pod's configuration is another one than at its start")
                        .asRuntimeException();
            }
            Path log = Path.of(pod.getLogDirectory(), request.getConfig().getLogPath());
            try {
                Files.createDirectories(log.getParent());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            var container = new FakeContainer(nextId('c'), request.getPodSandboxId(), request.getConfig(), log);
            containers.put(container.id, container);
            return CreateContainerResponse.newBuilder()
                    .setContainerId(container.id)
                    .build();
        });
    }

    @Override
    public void startContainer(StartContainerRequest request, StreamObserver<StartContainerResponse> observer) {
        answer(observer, () -> {
            FakeContainer container = container(request.getContainerId());
            node.called("StartContainer", container.config.getMetadata().getName());
            container.started = FakeContainer.nanos();
            container.state = ContainerState.CONTAINER_RUNNING;
            String image = container.config.getImage().getUserSpecifiedImage();
            FakeNode.Program program = node.programs.getOrDefault(image, FakeContainer::untilStopped);
            node.start(() -> container.run(program));
            return StartContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void stopContainer(StopContainerRequest request, StreamObserver<StopContainerResponse> observer) {
        answer(observer, () -> {
            FakeContainer container = container(request.getContainerId());
            node.called("StopContainer", container.config.getMetadata().getName() + " " + request.getTimeout());
            container.stop(request.getTimeout());
            return StopContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void removeContainer(RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> observer) {
        answer(observer, () -> {
            FakeContainer container = containers.remove(request.getContainerId());
            if (container != null) {
                node.called("RemoveContainer", container.config.getMetadata().getName());
                container.stop(0);
            }
            return RemoveContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void listContainers(ListContainersRequest request, StreamObserver<ListContainersResponse> observer) {
        answer(observer, () -> {
            var response = ListContainersResponse.newBuilder();
            containers.values().stream()
                    .filter(c -> request.getFilter().getPodSandboxId().isEmpty()
                            || request.getFilter().getPodSandboxId().equals(c.pod))
                    .forEach(c -> response.addContainers(Container.newBuilder()
                            .setId(c.id)
                            .setPodSandboxId(c.pod)
                            .setMetadata(c.config.getMetadata())
                            .setImage(c.config.getImage())
                            .setState(c.state)
                            .setCreatedAt(c.created)
                            .putAllLabels(c.config.getLabelsMap())
                            .putAllAnnotations(c.config.getAnnotationsMap())));
            return response.build();
        });
    }

    @Override
    public void containerStatus(ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> observer) {
        answer(observer, () -> {
            FakeContainer c = container(request.getContainerId());
            return ContainerStatusResponse.newBuilder()
                    .setStatus(ContainerStatus.newBuilder()
                            .setId(c.id)
                            .setMetadata(c.config.getMetadata())
                            .setState(c.state)
                            .setCreatedAt(c.created)
                            .setStartedAt(c.started)
                            .setFinishedAt(c.finished)
                            .setExitCode(c.exitCode)
                            .setReason(c.reason)
                            .setImage(c.config.getImage())
                            .setLogPath(c.log.toString()))
                    .build();
        });
    }

    @Override
    public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> observer) {
        answer(observer, () -> {
            container(request.getContainerId());
            node.called("ExecSync", String.join(" ", request.getCmdList()));
            return execAnswer;
        });
    }

    static ExecSyncResponse output(String out, String err, int code) {
        return ExecSyncResponse.newBuilder()
                .setStdout(ByteString.copyFromUtf8(out))
                .setStderr(ByteString.copyFromUtf8(err))
                .setExitCode(code)
                .build();
    }

    void killAll() {
        containers.values().forEach(c -> c.stop(0));
    }
}
