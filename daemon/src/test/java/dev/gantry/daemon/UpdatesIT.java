package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.CheckpointContainerRequest;
import dev.gantry.cri.runtime.v1.CheckpointPodRequest;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxStatusRequest;
import dev.gantry.cri.runtime.v1.RestorePodRequest;
import dev.gantry.cri.runtime.v1.UpdateContainerResourcesRequest;
import dev.gantry.cri.runtime.v1.UpdatePodSandboxResourcesRequest;
import dev.gantry.cri.runtime.v1.UpdateRuntimeConfigRequest;
import dev.gantry.cri.runtime.v1.WindowsContainerResources;
import dev.gantry.linux.Cgroups;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// Limits of containers and pods that change while they run, and what else a node is told later.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UpdatesIT {

    private static final long MIB = 1 << 20;
    private static final boolean V2 = Cgroups.version() == Cgroups.Version.V2;
    private static final String MEMORY = V2 ? "memory.max" : "memory.limit_in_bytes";

    private final Cgroups cgroups = Cgroups.host();
    private ChildNode node;
    private TestCalls calls;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.create();
        Path template = Files.writeString(
                node.directory().resolve("template"), node.bridgeNetwork().replaceAll("\"ranges\": \\[\\[.*?]]", """
                    "ranges": [{{range \\$i, \\$r := .PodCIDRRanges}}{{if \\$i}}, {{end}}[{"subnet": "{{\\$r}}"}]{{end}}]\
                    """));
        node.set("cni.conf_template", ChildNode.quoted(template));
        node.start();
        calls = node.calls();
    }

    @AfterEach
    void removePods() {
        node.removePods();
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    private void update(String container, Consumer<LinuxContainerResources.Builder> change) {
        UpdateContainerResourcesRequest.Builder request =
                UpdateContainerResourcesRequest.newBuilder().setContainerId(container);
        change.accept(request.getLinuxBuilder());
        var _ = node.client().runtime().updateContainerResources(request.build());
    }

    private LinuxContainerResources resources(String container) {
        return calls.status(container).getResources().getLinux();
    }

    private ContainerConfig.Builder limited(String name) {
        ContainerConfig.Builder config = calls.sleeper(name);
        config.getLinuxBuilder()
                .getResourcesBuilder()
                .setCpuPeriod(100_000)
                .setCpuQuota(20_000)
                .setCpuShares(512)
                .setMemoryLimitInBytes(64 * MIB);
        return config;
    }

    private String memoryOf(String pod, String container) {
        return cgroups.read("memory", node.cgroup() + "/" + pod + "/" + container, MEMORY)
                .orElse("no limit's file")
                .strip();
    }

    @Test
    void changesTheLimitsOfARunningContainer() {
        String pod = calls.run(calls.pod("resized"));
        String container = calls.run(pod, limited("main"));

        update(container, it -> it.setCpuQuota(40_000).setMemoryLimitInBytes(96 * MIB));

        assertThat(memoryOf(pod, container)).isEqualTo(Long.toString(96 * MIB));
        assertThat(resources(container))
                .isEqualTo(limited("main").getLinux().getResources().toBuilder()
                        .setCpuQuota(40_000)
                        .setMemoryLimitInBytes(96 * MIB)
                        .build());
        assertThat(calls.info(container)).contains("\"limit\":" + 96 * MIB).contains("\"quota\":40000");

        update(container, it -> it.setMemoryLimitInBytes(48 * MIB));

        assertThat(memoryOf(pod, container)).isEqualTo(Long.toString(48 * MIB));
        assertThat(calls.shell(container, "echo runs")).isEqualTo("runs");
    }

    @Test
    void changesTheLimitsOfAContainerBeforeItsStart() {
        String pod = calls.run(calls.pod("early"));
        String container = calls.create(pod, limited("main"));

        update(container, it -> it.setMemoryLimitInBytes(80 * MIB));

        assertThat(resources(container).getMemoryLimitInBytes()).isEqualTo(80 * MIB);
        calls.start(container);
        assertThat(memoryOf(pod, container)).isEqualTo(Long.toString(80 * MIB));
        assertThat(resources(container).getCpuQuota()).isEqualTo(20_000);
    }

    @Test
    void changesHowLikelyProcessesAreKilled() {
        String pod = calls.run(calls.pod("scored"));
        String container = calls.run(pod, calls.sleeper("main"));
        var _ = calls.shell(container, "echo 700 > /proc/1/oom_score_adj; sleep 1000 >/dev/null 2>&1 &");

        update(container, it -> it.setOomScoreAdj(600));

        assertThat(calls.shell(container, "cat /proc/1/oom_score_adj")).isEqualTo("700");
        assertThat(calls.shell(container, "cat /proc/$(pidof sleep | cut -d' ' -f1)/oom_score_adj"))
                .isEqualTo("600");
        assertThat(resources(container).getOomScoreAdj()).isEqualTo(600);
    }

    @Test
    void changesNothingWhenALimitCannotBe() {
        String pod = calls.run(calls.pod("refused"));
        String container = calls.run(pod, limited("main"));
        LinuxContainerResources before = resources(container);
        String spec = calls.info(container);

        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> update(container, it -> it.setCpusetCpus("a-b"))))
                .contains("cpuset_cpus");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT, () -> update(container, it -> it.setMemorySwapLimitInBytes(MIB))))
                .contains("memory_swap_limit_in_bytes");
        // One more processor than any machine has: the kernel refuses it, after the quota was set.
        assertThat(refused(
                        Status.Code.INTERNAL,
                        () -> update(container, it -> it.setCpuQuota(60_000).setCpusetCpus("100000"))))
                .contains(container, "main");

        assertThat(resources(container)).isEqualTo(before);
        assertThat(calls.info(container)).isEqualTo(spec);
        String quota = cgroups.read(
                        "cpu", node.cgroup() + "/" + pod + "/" + container, V2 ? "cpu.max" : "cpu.cfs_quota_us")
                .orElseThrow();
        assertThat(quota).startsWith("20000");
    }

    @Test
    void updatesOnlyWhatIsThere() {
        assertThat(refused(Status.Code.NOT_FOUND, () -> update("nothing", it -> it.setCpuShares(2))))
                .contains("nothing");
        String pod = calls.run(calls.pod("ended"));
        String container = calls.run(pod, calls.container("main", "true"));
        var _ = calls.exited(container);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> update(container, it -> it.setCpuShares(2))))
                .contains("EXITED");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> node.client()
                                .runtime()
                                .updateContainerResources(UpdateContainerResourcesRequest.newBuilder()
                                        .setContainerId(container)
                                        .build())))
                .contains("no resources");
        assertThat(refused(
                        Status.Code.INVALID_ARGUMENT,
                        () -> node.client()
                                .runtime()
                                .updateContainerResources(UpdateContainerResourcesRequest.newBuilder()
                                        .setContainerId(container)
                                        .setWindows(WindowsContainerResources.getDefaultInstance())
                                        .build())))
                .contains("resources of Windows");
    }

    @Test
    void limitsAPodWhoseCgroupIsOurs() {
        PodSandboxConfig.Builder config = calls.pod("limited");
        config.getLinuxBuilder().getResourcesBuilder().setMemoryLimitInBytes(100 * MIB);
        config.getLinuxBuilder().getOverheadBuilder().setMemoryLimitInBytes(8 * MIB);
        String pod = calls.run(config);
        assertThat(podMemory(node.cgroup() + "/" + pod)).isEqualTo(Long.toString(108 * MIB));

        updatePod(pod, 50 * MIB);

        assertThat(podMemory(node.cgroup() + "/" + pod)).isEqualTo(Long.toString(58 * MIB));
        assertThat(podInfo(pod))
                .contains("\"resources\":{\"memory_limit_in_bytes\":" + 50 * MIB + "}")
                .contains("\"overhead\":{\"memory_limit_in_bytes\":" + 8 * MIB + "}")
                .contains("\"netNamespaceClosed\":false")
                .contains("\"cniResult\":{")
                .contains("\"runtimeOptions\":{");
    }

    @Test
    void leavesTheCgroupOfTheKubeletAlone() {
        String parent = node.cgroup() + "/kubelet-pod";
        cgroups.create(parent);
        try {
            String before = podMemory(parent);
            PodSandboxConfig.Builder config = calls.pod("kubelet");
            config.getLinuxBuilder()
                    .setCgroupParent(parent)
                    .getResourcesBuilder()
                    .setMemoryLimitInBytes(100 * MIB);
            String pod = calls.run(config);
            updatePod(pod, 50 * MIB);

            assertThat(podMemory(parent)).isEqualTo(before);
            assertThat(podInfo(pod)).contains("\"resources\":{\"memory_limit_in_bytes\":" + 50 * MIB + "}");
            calls.stopPod(pod);
            assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> updatePod(pod, MIB)))
                    .contains(pod);
        } finally {
            calls.removeAll();
            cgroups.remove(parent);
        }
        assertThat(refused(Status.Code.NOT_FOUND, () -> updatePod("nothing", MIB)))
                .contains("nothing");
    }

    private void updatePod(String pod, long memory) {
        UpdatePodSandboxResourcesRequest.Builder request =
                UpdatePodSandboxResourcesRequest.newBuilder().setPodSandboxId(pod);
        request.getResourcesBuilder().setMemoryLimitInBytes(memory);
        var _ = node.client().runtime().updatePodSandboxResources(request.build());
    }

    private String podMemory(String cgroup) {
        return cgroups.read("memory", cgroup, MEMORY).orElseThrow().strip();
    }

    private String podInfo(String pod) {
        return node.client()
                .runtime()
                .podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                        .setPodSandboxId(pod)
                        .setVerbose(true)
                        .build())
                .getInfoOrThrow("info");
    }

    @Test
    void makesItsNetworkFromATemplate() throws IOException {
        Path own = node.networkConfiguration();
        Path generated = own.resolveSibling("10-gantry.conflist");
        String ranges = node.subnet() + ".0/24";
        tellRanges(ranges);
        assertThat(generated).as("somebody's network is there").doesNotExist();

        Files.move(own, own.resolveSibling("hidden"));
        try {
            assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> tellRanges("10.0.0.0/99")))
                    .contains("10.0.0.0/99");
            tellRanges(ranges);

            assertThat(generated).content().contains("\"ranges\": [[{\"subnet\": \"" + ranges + "\"}]]");
            String pod = calls.run(calls.pod("templated"));
            assertThat(calls.podStatus(pod).getStatus().getNetwork().getIp()).startsWith(node.subnet() + ".");
            calls.removeAll();
        } finally {
            Files.move(own.resolveSibling("hidden"), own);
            Files.deleteIfExists(generated);
        }
    }

    private void tellRanges(String ranges) {
        UpdateRuntimeConfigRequest.Builder request = UpdateRuntimeConfigRequest.newBuilder();
        request.getRuntimeConfigBuilder().getNetworkConfigBuilder().setPodCidr(ranges);
        var _ = node.client().runtime().updateRuntimeConfig(request.build());
    }

    @Test
    void makesNoCheckpoints() {
        var runtime = node.client().runtime();
        assertThat(refused(
                        Status.Code.UNIMPLEMENTED,
                        () -> runtime.checkpointContainer(CheckpointContainerRequest.newBuilder()
                                .setContainerId("any")
                                .build())))
                .contains("any", "makes no checkpoints");
        assertThat(refused(
                        Status.Code.UNIMPLEMENTED,
                        () -> runtime.checkpointPod(CheckpointPodRequest.getDefaultInstance())))
                .contains("makes no checkpoints");
        assertThat(refused(Status.Code.UNIMPLEMENTED, () -> runtime.restorePod(RestorePodRequest.getDefaultInstance())))
                .contains("makes no checkpoints");
    }
}
