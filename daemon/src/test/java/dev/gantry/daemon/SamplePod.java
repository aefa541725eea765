package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.ContainerStats;
import dev.gantry.cri.runtime.v1.ContainerStatsRequest;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import dev.gantry.cri.runtime.v1.CreateContainerRequest;
import dev.gantry.cri.runtime.v1.ExecSyncRequest;
import dev.gantry.cri.runtime.v1.ExecSyncResponse;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.LinuxContainerConfig;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.LinuxPodSandboxConfig;
import dev.gantry.cri.runtime.v1.LinuxSandboxSecurityContext;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.RemoveContainerRequest;
import dev.gantry.cri.runtime.v1.RemovePodSandboxRequest;
import dev.gantry.cri.runtime.v1.RunPodSandboxRequest;
import dev.gantry.cri.runtime.v1.SecurityProfile;
import dev.gantry.cri.runtime.v1.StartContainerRequest;
import dev.gantry.cri.runtime.v1.StopContainerRequest;
import dev.gantry.cri.runtime.v1.StopPodSandboxRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/// A pod with one container that a client runs, call by call; the program in it ends at once when it is told to.
/// Each step is one CRI call, as the kubelet makes it.
final class SamplePod {

    /// What runs in a pod.
    ///
    /// @param serve what the container does until it is told to end
    /// @param exec what is run beside it, and succeeds
    /// @param mounts files of the node
    record Program(ImageSpec image, List<String> serve, List<String> exec, List<Mount> mounts) {

        /// A shell, of the test images in the registry.
        static final Program SHELL = new Program(
                ImageSpec.newBuilder()
                        .setImage("registry.k8s.io/e2e-test-images/busybox:1.29-2")
                        .build(),
                List.of("sh", "-c", "trap 'exit 0' TERM; echo started; sleep 3600 & wait"),
                List.of("true"),
                List.of());

        /// The one that every node has from the start.
        static final Program HELLO = new Program(
                ImageSpec.newBuilder().setImage("gantry.local/hello:latest").build(),
                List.of("serve", "8080"),
                List.of("echo", "here"),
                List.of());

        /// With a file of the node at its path, read-only.
        Program with(Path file) {
            Mount mount = Mount.newBuilder()
                    .setHostPath(file.toString())
                    .setContainerPath(file.toString())
                    .setReadonly(true)
                    .build();
            return new Program(image, serve, exec, List.of(mount));
        }
    }

    private static final int STOP_SECONDS = 10;
    private static final String MAIN = "main";

    private static final SecurityProfile DEFAULT_SECCOMP = SecurityProfile.newBuilder()
            .setProfileType(SecurityProfile.ProfileType.RuntimeDefault)
            .build();

    private final CriClient client;
    private final Program program;
    private final PodSandboxConfig config;
    private String sandbox = "";
    private String container = "";

    /// @param logs the folder for the pod's logs
    SamplePod(CriClient client, Program program, Path logs) {
        this(client, program, config(logs));
    }

    private SamplePod(CriClient client, Program program, PodSandboxConfig config) {
        this.client = client;
        this.program = program;
        this.config = config;
    }

    private static PodSandboxConfig config(Path logs) {
        String uid = UUID.randomUUID().toString();
        return PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder()
                        .setName("sample-" + uid)
                        .setNamespace("default")
                        .setUid(uid))
                .setHostname("sample")
                .setLogDirectory(logs.resolve("default_sample_" + uid).toString())
                .putLabels("app", "sample")
                .setLinux(LinuxPodSandboxConfig.newBuilder()
                        .setSecurityContext(LinuxSandboxSecurityContext.newBuilder()
                                .setSeccomp(DEFAULT_SECCOMP)
                                .build()))
                .build();
    }

    /// Another pod, it and its containers under an AppArmor profile of the node.
    SamplePod confined(String apparmor) {
        return confined(SecurityProfile.newBuilder()
                .setProfileType(SecurityProfile.ProfileType.Localhost)
                .setLocalhostRef(apparmor)
                .build());
    }

    /// Another pod, it and its containers under this AppArmor profile.
    SamplePod confined(SecurityProfile apparmor) {
        PodSandboxConfig.Builder confined =
                config(Path.of(config.getLogDirectory()).resolveSibling("logs")).toBuilder();
        confined.getLinuxBuilder().getSecurityContextBuilder().setApparmor(apparmor);
        return new SamplePod(client, program, confined.build());
    }

    /// The same pod, seen by another client.
    SamplePod through(CriClient other) {
        SamplePod pod = new SamplePod(other, program, config);
        pod.sandbox = sandbox;
        pod.container = container;
        return pod;
    }

    void run() {
        run("");
    }

    /// @param handler empty for the default one
    void run(String handler) {
        sandbox = client.runtime()
                .runPodSandbox(RunPodSandboxRequest.newBuilder()
                        .setConfig(config)
                        .setRuntimeHandler(handler)
                        .build())
                .getPodSandboxId();
    }

    void createContainer() {
        createContainer(MAIN);
    }

    /// The calls for a container then mean this one.
    void createContainer(String name) {
        container = client.runtime()
                .createContainer(CreateContainerRequest.newBuilder()
                        .setPodSandboxId(sandbox)
                        .setConfig(containerConfig(name))
                        .setSandboxConfig(config)
                        .build())
                .getContainerId();
    }

    private ContainerConfig containerConfig(String name) {
        LinuxSandboxSecurityContext pods = config.getLinux().getSecurityContext();
        LinuxContainerSecurityContext.Builder security =
                LinuxContainerSecurityContext.newBuilder().setSeccomp(DEFAULT_SECCOMP);
        if (pods.hasApparmor()) {
            security.setApparmor(pods.getApparmor());
        }
        return ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder().setName(name))
                .setImage(program.image())
                .addAllCommand(program.serve())
                .addAllMounts(program.mounts())
                .setLogPath(log(name))
                .putLabels("app", "sample")
                .setLinux(LinuxContainerConfig.newBuilder().setSecurityContext(security))
                .build();
    }

    void startContainer() {
        var _ = client.runtime()
                .startContainer(StartContainerRequest.newBuilder()
                        .setContainerId(container)
                        .build());
    }

    void exec() {
        ExecSyncResponse answer = exec(program.exec());
        if (answer.getExitCode() != 0) {
            throw new IllegalStateException("%s ended with %d in container %s: %s"
                    .formatted(
                            program.exec(),
                            answer.getExitCode(),
                            container,
                            answer.getStderr().toStringUtf8()));
        }
    }

    /// Whatever comes of it.
    ExecSyncResponse exec(List<String> command) {
        return client.runtime()
                .execSync(ExecSyncRequest.newBuilder()
                        .setContainerId(container)
                        .addAllCmd(command)
                        .setTimeout(20)
                        .build());
    }

    ContainerStats stats() {
        return client.runtime()
                .containerStats(ContainerStatsRequest.newBuilder()
                        .setContainerId(container)
                        .build())
                .getStats();
    }

    String sandbox() {
        return sandbox;
    }

    ContainerStatus status() {
        return client.runtime()
                .containerStatus(ContainerStatusRequest.newBuilder()
                        .setContainerId(container)
                        .build())
                .getStatus();
    }

    private static String log(String name) {
        return name + "/0.log";
    }

    /// The container's log, as it stands.
    Path log() {
        return Path.of(config.getLogDirectory()).resolve(log(MAIN));
    }

    void stopContainer() {
        var _ = client.runtime()
                .stopContainer(StopContainerRequest.newBuilder()
                        .setContainerId(container)
                        .setTimeout(STOP_SECONDS)
                        .build());
    }

    void removeContainer() {
        var _ = client.runtime()
                .removeContainer(RemoveContainerRequest.newBuilder()
                        .setContainerId(container)
                        .build());
    }

    void stop() {
        var _ = client.runtime()
                .stopPodSandbox(StopPodSandboxRequest.newBuilder()
                        .setPodSandboxId(sandbox)
                        .build());
    }

    void remove() {
        var _ = client.runtime()
                .removePodSandbox(RemovePodSandboxRequest.newBuilder()
                        .setPodSandboxId(sandbox)
                        .build());
    }
}
