package dev.gantry.runtime;

import dev.gantry.cni.NetworkGenerator;
import dev.gantry.cni.PodRanges;
import dev.gantry.cri.runtime.v1.AttachRequest;
import dev.gantry.cri.runtime.v1.AttachResponse;
import dev.gantry.cri.runtime.v1.CgroupDriver;
import dev.gantry.cri.runtime.v1.CheckpointContainerRequest;
import dev.gantry.cri.runtime.v1.CheckpointContainerResponse;
import dev.gantry.cri.runtime.v1.CheckpointPodRequest;
import dev.gantry.cri.runtime.v1.CheckpointPodResponse;
import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import dev.gantry.cri.runtime.v1.ContainerStatsRequest;
import dev.gantry.cri.runtime.v1.ContainerStatsResponse;
import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import dev.gantry.cri.runtime.v1.ContainerStatusResponse;
import dev.gantry.cri.runtime.v1.CreateContainerRequest;
import dev.gantry.cri.runtime.v1.CreateContainerResponse;
import dev.gantry.cri.runtime.v1.ExecRequest;
import dev.gantry.cri.runtime.v1.ExecResponse;
import dev.gantry.cri.runtime.v1.ExecSyncRequest;
import dev.gantry.cri.runtime.v1.ExecSyncResponse;
import dev.gantry.cri.runtime.v1.GetEventsRequest;
import dev.gantry.cri.runtime.v1.LinuxRuntimeConfiguration;
import dev.gantry.cri.runtime.v1.ListMetricDescriptorsRequest;
import dev.gantry.cri.runtime.v1.ListMetricDescriptorsResponse;
import dev.gantry.cri.runtime.v1.PodSandboxStatsRequest;
import dev.gantry.cri.runtime.v1.PodSandboxStatsResponse;
import dev.gantry.cri.runtime.v1.PodSandboxStatusRequest;
import dev.gantry.cri.runtime.v1.PodSandboxStatusResponse;
import dev.gantry.cri.runtime.v1.PortForwardRequest;
import dev.gantry.cri.runtime.v1.PortForwardResponse;
import dev.gantry.cri.runtime.v1.RemoveContainerRequest;
import dev.gantry.cri.runtime.v1.RemoveContainerResponse;
import dev.gantry.cri.runtime.v1.RemovePodSandboxRequest;
import dev.gantry.cri.runtime.v1.RemovePodSandboxResponse;
import dev.gantry.cri.runtime.v1.ReopenContainerLogRequest;
import dev.gantry.cri.runtime.v1.ReopenContainerLogResponse;
import dev.gantry.cri.runtime.v1.RestorePodRequest;
import dev.gantry.cri.runtime.v1.RestorePodResponse;
import dev.gantry.cri.runtime.v1.RunPodSandboxRequest;
import dev.gantry.cri.runtime.v1.RunPodSandboxResponse;
import dev.gantry.cri.runtime.v1.RuntimeConfigRequest;
import dev.gantry.cri.runtime.v1.RuntimeConfigResponse;
import dev.gantry.cri.runtime.v1.RuntimeServiceGrpc;
import dev.gantry.cri.runtime.v1.StartContainerRequest;
import dev.gantry.cri.runtime.v1.StartContainerResponse;
import dev.gantry.cri.runtime.v1.StatusRequest;
import dev.gantry.cri.runtime.v1.StatusResponse;
import dev.gantry.cri.runtime.v1.StopContainerRequest;
import dev.gantry.cri.runtime.v1.StopContainerResponse;
import dev.gantry.cri.runtime.v1.StopPodSandboxRequest;
import dev.gantry.cri.runtime.v1.StopPodSandboxResponse;
import dev.gantry.cri.runtime.v1.UpdateContainerResourcesRequest;
import dev.gantry.cri.runtime.v1.UpdateContainerResourcesResponse;
import dev.gantry.cri.runtime.v1.UpdatePodSandboxResourcesRequest;
import dev.gantry.cri.runtime.v1.UpdatePodSandboxResourcesResponse;
import dev.gantry.cri.runtime.v1.UpdateRuntimeConfigRequest;
import dev.gantry.cri.runtime.v1.UpdateRuntimeConfigResponse;
import dev.gantry.cri.runtime.v1.VersionRequest;
import dev.gantry.cri.runtime.v1.VersionResponse;
import dev.gantry.image.Cancellation;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.storage.Times;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.time.Instant;

/// CRI v1 RuntimeService: translates messages and leaves the work to [Pods], [Containers] and their kin.
///
/// Calls block, so the server must run them on platform threads. Lists are in [ListCalls]; what is in neither answers
/// UNIMPLEMENTED.
public final class CriRuntimeService extends RuntimeServiceGrpc.RuntimeServiceImplBase {

    private static final String KUBELET_API_VERSION = "0.1.0";
    private static final String CRI_VERSION = "v1";

    private final Pods pods;
    private final Containers containers;
    private final ExecSync execSync;
    private final Statistics statistics;
    private final ContainerEvents events;
    private final StreamingCalls streaming;
    private final StatusReport statusReport;
    private final VerboseInfo info;
    private final NetworkGenerator networks;
    private final String version;

    CriRuntimeService(
            Pods pods,
            Containers containers,
            ExecSync execSync,
            Statistics statistics,
            ContainerEvents events,
            StreamingCalls streaming,
            StatusReport statusReport,
            VerboseInfo info,
            NetworkGenerator networks,
            String version) {
        this.pods = pods;
        this.containers = containers;
        this.execSync = execSync;
        this.statistics = statistics;
        this.events = events;
        this.streaming = streaming;
        this.statusReport = statusReport;
        this.info = info;
        this.networks = networks;
        this.version = version;
    }

    @Override
    public void version(VersionRequest request, StreamObserver<VersionResponse> client) {
        CallWorker.answer(
                client,
                "Version",
                () -> VersionResponse.newBuilder()
                        .setVersion(KUBELET_API_VERSION)
                        .setRuntimeName("gantry")
                        .setRuntimeVersion(version)
                        .setRuntimeApiVersion(CRI_VERSION)
                        .build());
    }

    @Override
    public void status(StatusRequest request, StreamObserver<StatusResponse> client) {
        CallWorker.answer(client, "Status", () -> statusReport.build(request.getVerbose()));
    }

    @Override
    public void runtimeConfig(RuntimeConfigRequest request, StreamObserver<RuntimeConfigResponse> client) {
        CallWorker.answer(
                client,
                "RuntimeConfig",
                () -> RuntimeConfigResponse.newBuilder()
                        .setLinux(LinuxRuntimeConfiguration.newBuilder()
                                .setCgroupDriver(
                                        switch (pods.cgroupDriver()) {
                                            case CGROUPFS -> CgroupDriver.CGROUPFS;
                                            case SYSTEMD -> CgroupDriver.SYSTEMD;
                                        }))
                        .build());
    }

    @Override
    public void updateRuntimeConfig(
            UpdateRuntimeConfigRequest request, StreamObserver<UpdateRuntimeConfigResponse> client) {
        CallWorker.answer(client, "UpdateRuntimeConfig", () -> {
            String ranges = request.getRuntimeConfig().getNetworkConfig().getPodCidr();
            if (!ranges.isEmpty()) {
                networks.generate(PodRanges.parse(ranges));
            }
            return UpdateRuntimeConfigResponse.getDefaultInstance();
        });
    }

    @Override
    public void runPodSandbox(RunPodSandboxRequest request, StreamObserver<RunPodSandboxResponse> client) {
        CallWorker.answer(
                client,
                "RunPodSandbox",
                () -> RunPodSandboxResponse.newBuilder()
                        .setPodSandboxId(pods.run(CriSandboxes.config(request.getConfig()), request.getRuntimeHandler())
                                .id()
                                .value())
                        .build());
    }

    @Override
    public void stopPodSandbox(StopPodSandboxRequest request, StreamObserver<StopPodSandboxResponse> client) {
        CallWorker.answer(client, "StopPodSandbox", () -> {
            pods.stop(request.getPodSandboxId());
            return StopPodSandboxResponse.getDefaultInstance();
        });
    }

    @Override
    public void removePodSandbox(RemovePodSandboxRequest request, StreamObserver<RemovePodSandboxResponse> client) {
        CallWorker.answer(client, "RemovePodSandbox", () -> {
            pods.remove(request.getPodSandboxId());
            return RemovePodSandboxResponse.getDefaultInstance();
        });
    }

    @Override
    public void updatePodSandboxResources(
            UpdatePodSandboxResourcesRequest request, StreamObserver<UpdatePodSandboxResourcesResponse> client) {
        CallWorker.answer(client, "UpdatePodSandboxResources", () -> {
            pods.update(
                    request.getPodSandboxId(),
                    CriSandboxes.resources(request.hasOverhead(), request.getOverhead()),
                    CriSandboxes.resources(request.hasResources(), request.getResources()));
            return UpdatePodSandboxResourcesResponse.getDefaultInstance();
        });
    }

    @Override
    public void podSandboxStatus(PodSandboxStatusRequest request, StreamObserver<PodSandboxStatusResponse> client) {
        CallWorker.answer(client, "PodSandboxStatus", () -> {
            // From before the looking: a kubelet that listens to events takes no later one for older than this.
            long now = Times.nanos(Instant.now());
            Sandbox sandbox = pods.get(request.getPodSandboxId());
            PodSandboxStatusResponse.Builder response = PodSandboxStatusResponse.newBuilder()
                    .setStatus(CriSandboxes.status(sandbox))
                    .setTimestamp(now);
            containers.visible(sandbox.id()).forEach(it -> response.addContainersStatuses(CriContainers.status(it)));
            if (request.getVerbose()) {
                response.putAllInfo(info.of(sandbox));
            }
            return response.build();
        });
    }

    @Override
    public void createContainer(CreateContainerRequest request, StreamObserver<CreateContainerResponse> client) {
        CallWorker.answer(
                client,
                "CreateContainer",
                () -> CreateContainerResponse.newBuilder()
                        .setContainerId(containers
                                .create(request.getPodSandboxId(), request.getConfig())
                                .id())
                        .build());
    }

    @Override
    public void startContainer(StartContainerRequest request, StreamObserver<StartContainerResponse> client) {
        CallWorker.answer(client, "StartContainer", () -> {
            containers.start(request.getContainerId());
            return StartContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void stopContainer(StopContainerRequest request, StreamObserver<StopContainerResponse> client) {
        CallWorker.answer(client, "StopContainer", () -> {
            containers.stop(request.getContainerId(), Duration.ofSeconds(request.getTimeout()));
            return StopContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void removeContainer(RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> client) {
        CallWorker.answer(client, "RemoveContainer", () -> {
            containers.remove(request.getContainerId());
            return RemoveContainerResponse.getDefaultInstance();
        });
    }

    @Override
    public void updateContainerResources(
            UpdateContainerResourcesRequest request, StreamObserver<UpdateContainerResourcesResponse> client) {
        CallWorker.answer(client, "UpdateContainerResources", () -> {
            Container container = containers.get(request.getContainerId());
            if (request.hasWindows()) {
                throw new ContainerException.InvalidRequest(
                        "cannot update container %s: the request has resources of Windows, and this node has Linux"
                                .formatted(container.id()));
            }
            if (!request.hasLinux()) {
                throw new ContainerException.InvalidRequest(
                        "cannot update container %s: no resources of Linux given".formatted(container.id()));
            }
            containers.update(container.id(), request.getLinux());
            return UpdateContainerResourcesResponse.getDefaultInstance();
        });
    }

    @Override
    public void checkpointContainer(
            CheckpointContainerRequest request, StreamObserver<CheckpointContainerResponse> client) {
        CallWorker.refuse(
                client,
                "cannot checkpoint container %s: this version of Gantry makes no checkpoints"
                        .formatted(request.getContainerId()));
    }

    @Override
    public void checkpointPod(CheckpointPodRequest request, StreamObserver<CheckpointPodResponse> client) {
        CallWorker.refuse(
                client,
                "cannot checkpoint pod sandbox %s: this version of Gantry makes no checkpoints"
                        .formatted(request.getPodSandboxId()));
    }

    @Override
    public void restorePod(RestorePodRequest request, StreamObserver<RestorePodResponse> client) {
        CallWorker.refuse(client, "cannot restore a pod: this version of Gantry makes no checkpoints");
    }

    @Override
    public void containerStatus(ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> client) {
        CallWorker.answer(client, "ContainerStatus", () -> {
            Container container = containers.get(request.getContainerId());
            ContainerStatusResponse.Builder response =
                    ContainerStatusResponse.newBuilder().setStatus(CriContainers.status(container));
            if (request.getVerbose()) {
                response.putAllInfo(info.of(container));
            }
            return response.build();
        });
    }

    @Override
    public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> client) {
        CallWorker.answer(client, "ExecSync", () -> {
            ExecSync.Result result = execute(request);
            return ExecSyncResponse.newBuilder()
                    .setStdout(result.output())
                    .setStderr(result.errors())
                    .setExitCode(result.exitCode())
                    .build();
        });
    }

    /// Nobody wants the output of a command whose client has gone, so it ends with the call.
    private ExecSync.Result execute(ExecSyncRequest request) throws InterruptedException {
        try {
            return Cancellation.interrupting(() -> execSync.run(
                    request.getContainerId(), request.getCmdList(), Duration.ofSeconds(request.getTimeout())));
        } catch (InterruptedException e) {
            if (!Context.current().isCancelled()) {
                throw e;
            }
            throw Status.CANCELLED
                    .withDescription("the caller went before the command in container %s ended: it is killed"
                            .formatted(request.getContainerId()))
                    .asRuntimeException();
        }
    }

    @Override
    public void exec(ExecRequest request, StreamObserver<ExecResponse> client) {
        CallWorker.answer(
                client,
                "Exec",
                () -> ExecResponse.newBuilder().setUrl(streaming.exec(request)).build());
    }

    @Override
    public void attach(AttachRequest request, StreamObserver<AttachResponse> client) {
        CallWorker.answer(
                client,
                "Attach",
                () -> AttachResponse.newBuilder()
                        .setUrl(streaming.attach(request))
                        .build());
    }

    @Override
    public void portForward(PortForwardRequest request, StreamObserver<PortForwardResponse> client) {
        CallWorker.answer(
                client,
                "PortForward",
                () -> PortForwardResponse.newBuilder()
                        .setUrl(streaming.portForward(request))
                        .build());
    }

    @Override
    public void reopenContainerLog(
            ReopenContainerLogRequest request, StreamObserver<ReopenContainerLogResponse> client) {
        CallWorker.answer(client, "ReopenContainerLog", () -> {
            Container container = containers.get(request.getContainerId());
            containers.running(container, "reopen the log of").io.reopenLog();
            return ReopenContainerLogResponse.getDefaultInstance();
        });
    }

    @Override
    public void containerStats(ContainerStatsRequest request, StreamObserver<ContainerStatsResponse> client) {
        CallWorker.answer(
                client,
                "ContainerStats",
                () -> ContainerStatsResponse.newBuilder()
                        .setStats(statistics.containers().of(containers.get(request.getContainerId())))
                        .build());
    }

    @Override
    public void podSandboxStats(PodSandboxStatsRequest request, StreamObserver<PodSandboxStatsResponse> client) {
        CallWorker.answer(client, "PodSandboxStats", () -> {
            Sandbox sandbox = pods.get(request.getPodSandboxId());
            return PodSandboxStatsResponse.newBuilder()
                    .setStats(statistics.pods().of(sandbox, containers.visible(sandbox.id())))
                    .build();
        });
    }

    @Override
    public void listMetricDescriptors(
            ListMetricDescriptorsRequest request, StreamObserver<ListMetricDescriptorsResponse> client) {
        CallWorker.answer(
                client, "ListMetricDescriptors", () -> statistics.metrics().descriptors());
    }

    @Override
    public void getContainerEvents(GetEventsRequest request, StreamObserver<ContainerEventResponse> client) {
        events.subscribe((ServerCallStreamObserver<ContainerEventResponse>) client);
    }
}
