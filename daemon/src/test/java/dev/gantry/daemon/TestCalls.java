package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerFilter;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import dev.gantry.cri.runtime.v1.CreateContainerRequest;
import dev.gantry.cri.runtime.v1.ExecSyncRequest;
import dev.gantry.cri.runtime.v1.ExecSyncResponse;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.ListContainersRequest;
import dev.gantry.cri.runtime.v1.ListMetricDescriptorsRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxRequest;
import dev.gantry.cri.runtime.v1.MetricDescriptor;
import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.NamespaceOption;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxFilter;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.PodSandboxStatusRequest;
import dev.gantry.cri.runtime.v1.PodSandboxStatusResponse;
import dev.gantry.cri.runtime.v1.RemoveContainerRequest;
import dev.gantry.cri.runtime.v1.RemovePodSandboxRequest;
import dev.gantry.cri.runtime.v1.RunPodSandboxRequest;
import dev.gantry.cri.runtime.v1.StartContainerRequest;
import dev.gantry.cri.runtime.v1.StopContainerRequest;
import dev.gantry.cri.runtime.v1.StopPodSandboxRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/// CRI calls to a node as tests make them, one call a method.
record TestCalls(ChildNode node) {

    private static final AtomicLong NUMBERS = new AtomicLong();

    /// As the kubelet has it; without it, the containers of a pod share one process namespace.
    private static final NamespaceOption OWN_PROCESSES =
            NamespaceOption.newBuilder().setPid(NamespaceMode.CONTAINER).build();

    /// A pod of a name of its own, with logs.
    PodSandboxConfig.Builder pod(String name) {
        String uid = "uid-" + NUMBERS.incrementAndGet();
        PodSandboxConfig.Builder pod = PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder()
                        .setName(name)
                        .setNamespace("test")
                        .setUid(uid))
                .setHostname(name)
                .setLogDirectory(node.directory().resolve("logs").resolve(uid).toString());
        pod.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(OWN_PROCESSES);
        return pod;
    }

    /// A container of the busybox image.
    ContainerConfig.Builder container(String name, String... command) {
        ContainerConfig.Builder container = ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder().setName(name))
                .setImage(ImageSpec.newBuilder().setImage(TestImages.NAME))
                .addAllCommand(List.of(command))
                .setLogPath(name + ".log");
        container.getLinuxBuilder().getSecurityContextBuilder().setNamespaceOptions(OWN_PROCESSES);
        return container;
    }

    /// One that runs until it is stopped, which it lets happen at once.
    ContainerConfig.Builder sleeper(String name) {
        return container(name, "sh", "-c", "trap 'exit 0' TERM; echo ready; sleep 3600 & wait");
    }

    String run(PodSandboxConfig.Builder pod) {
        return run(pod, "");
    }

    String run(PodSandboxConfig.Builder pod, String handler) {
        return node.client()
                .runtime()
                .runPodSandbox(RunPodSandboxRequest.newBuilder()
                        .setConfig(pod)
                        .setRuntimeHandler(handler)
                        .build())
                .getPodSandboxId();
    }

    String create(String pod, ContainerConfig.Builder container) {
        return node.client()
                .runtime()
                .createContainer(CreateContainerRequest.newBuilder()
                        .setPodSandboxId(pod)
                        .setConfig(container)
                        .build())
                .getContainerId();
    }

    void start(String container) {
        var _ = node.client()
                .runtime()
                .startContainer(StartContainerRequest.newBuilder()
                        .setContainerId(container)
                        .build());
    }

    /// Creates and starts it.
    String run(String pod, ContainerConfig.Builder container) {
        String id = create(pod, container);
        start(id);
        return id;
    }

    void stop(String container, long graceSeconds) {
        var _ = node.client()
                .runtime()
                .stopContainer(StopContainerRequest.newBuilder()
                        .setContainerId(container)
                        .setTimeout(graceSeconds)
                        .build());
    }

    void remove(String container) {
        var _ = node.client()
                .runtime()
                .removeContainer(RemoveContainerRequest.newBuilder()
                        .setContainerId(container)
                        .build());
    }

    void stopPod(String pod) {
        var _ = node.client()
                .runtime()
                .stopPodSandbox(
                        StopPodSandboxRequest.newBuilder().setPodSandboxId(pod).build());
    }

    void removePod(String pod) {
        var _ = node.client()
                .runtime()
                .removePodSandbox(RemovePodSandboxRequest.newBuilder()
                        .setPodSandboxId(pod)
                        .build());
    }

    void removeAll() {
        pods().forEach(it -> {
            stopPod(it.getId());
            removePod(it.getId());
        });
        assertThat(pods()).isEmpty();
        assertThat(containers()).isEmpty();
    }

    ContainerStatus status(String container) {
        return node.client()
                .runtime()
                .containerStatus(ContainerStatusRequest.newBuilder()
                        .setContainerId(container)
                        .build())
                .getStatus();
    }

    /// What a verbose status adds, as JSON.
    String info(String container) {
        return node.client()
                .runtime()
                .containerStatus(ContainerStatusRequest.newBuilder()
                        .setContainerId(container)
                        .setVerbose(true)
                        .build())
                .getInfoOrThrow("info");
    }

    PodSandboxStatusResponse podStatus(String pod) {
        return node.client()
                .runtime()
                .podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                        .setPodSandboxId(pod)
                        .build());
    }

    /// The status of a container once it has exited.
    ContainerStatus exited(String container) {
        return await("container exits")
                .atMost(ChildNode.PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> status(container), it -> it.getState() == ContainerState.CONTAINER_EXITED);
    }

    ExecSyncResponse exec(String container, String... command) {
        return node.client()
                .runtime()
                .execSync(ExecSyncRequest.newBuilder()
                        .setContainerId(container)
                        .addAllCmd(List.of(command))
                        .setTimeout(60)
                        .build());
    }

    /// What a shell command in a container that must succeed prints.
    String shell(String container, String command) {
        ExecSyncResponse answer = exec(container, "sh", "-c", command);
        assertThat(answer.getExitCode())
                .as(() -> command + ": " + answer.getStderr().toStringUtf8())
                .isZero();
        return answer.getStdout().toStringUtf8().strip();
    }

    /// What is announced of metrics, by their names.
    Map<String, MetricDescriptor> metricDescriptors() {
        return node
                .client()
                .runtime()
                .listMetricDescriptors(ListMetricDescriptorsRequest.getDefaultInstance())
                .getDescriptorsList()
                .stream()
                .collect(Collectors.toMap(MetricDescriptor::getName, Function.identity()));
    }

    List<PodSandbox> pods() {
        return pods(PodSandboxFilter.newBuilder());
    }

    List<PodSandbox> pods(PodSandboxFilter.Builder filter) {
        return node.client()
                .runtime()
                .listPodSandbox(
                        ListPodSandboxRequest.newBuilder().setFilter(filter).build())
                .getItemsList();
    }

    List<Container> containers() {
        return containers(ContainerFilter.newBuilder());
    }

    List<Container> containers(ContainerFilter.Builder filter) {
        return node.client()
                .runtime()
                .listContainers(
                        ListContainersRequest.newBuilder().setFilter(filter).build())
                .getContainersList();
    }

    /// The lines of a container's log.
    List<String> log(String container) {
        return ChildNode.proc(Path.of(status(container).getLogPath())).lines().toList();
    }

    /// What a container wrote: its log without time, stream and tag.
    List<String> output(String container) {
        return log(container).stream().map(it -> it.split(" ", 4)[3]).toList();
    }

    /// Waits until a container has written a line.
    void awaitOutput(String container, String line) {
        await("container writes " + line)
                .atMost(ChildNode.PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> output(container).contains(line));
    }

    /// The message with which a call is refused.
    static String refused(Status.Code code, ThrowingCallable call) {
        StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class, call);
        assertThat(failure).as("the call fails").isNotNull();
        assertThat(failure.getStatus().getCode())
                .as(failure.getStatus().toString())
                .isEqualTo(code);
        return String.valueOf(failure.getStatus().getDescription());
    }
}
