package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerStats;
import dev.gantry.cri.runtime.v1.ContainerStatsFilter;
import dev.gantry.cri.runtime.v1.ContainerStatsRequest;
import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.cri.runtime.v1.ListContainerStatsRequest;
import dev.gantry.cri.runtime.v1.ListImagesRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxMetricsRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxStatsRequest;
import dev.gantry.cri.runtime.v1.Metric;
import dev.gantry.cri.runtime.v1.MetricDescriptor;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxMetrics;
import dev.gantry.cri.runtime.v1.PodSandboxStats;
import dev.gantry.cri.runtime.v1.PodSandboxStatsFilter;
import dev.gantry.cri.runtime.v1.PodSandboxStatsRequest;
import dev.gantry.cri.runtime.v1.StreamContainerStatsRequest;
import dev.gantry.cri.runtime.v1.StreamContainerStatsResponse;
import dev.gantry.cri.runtime.v1.StreamContainersRequest;
import dev.gantry.cri.runtime.v1.StreamContainersResponse;
import dev.gantry.cri.runtime.v1.StreamImagesRequest;
import dev.gantry.cri.runtime.v1.StreamImagesResponse;
import dev.gantry.cri.runtime.v1.StreamPodSandboxMetricsRequest;
import dev.gantry.cri.runtime.v1.StreamPodSandboxMetricsResponse;
import dev.gantry.cri.runtime.v1.StreamPodSandboxStatsRequest;
import dev.gantry.cri.runtime.v1.StreamPodSandboxStatsResponse;
import dev.gantry.cri.runtime.v1.StreamPodSandboxesRequest;
import dev.gantry.cri.runtime.v1.StreamPodSandboxesResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// What is told of the use of a node by its pods, against what they really do.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class StatsIT {

    private static final int MIB = 1 << 20;

    private ChildNode node;
    private TestCalls calls;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
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

    private ContainerStats stats(String container) {
        return node.client()
                .runtime()
                .containerStats(ContainerStatsRequest.newBuilder()
                        .setContainerId(container)
                        .build())
                .getStats();
    }

    private PodSandboxStats podStats(String pod) {
        return node.client()
                .runtime()
                .podSandboxStats(
                        PodSandboxStatsRequest.newBuilder().setPodSandboxId(pod).build())
                .getStats();
    }

    private PodSandboxMetrics metrics(String pod) {
        return node
                .client()
                .runtime()
                .listPodSandboxMetrics(ListPodSandboxMetricsRequest.getDefaultInstance())
                .getPodMetricsList()
                .stream()
                .filter(it -> it.getPodSandboxId().equals(pod))
                .findFirst()
                .orElseThrow();
    }

    private static long value(List<Metric> metrics, String name) {
        return metrics.stream()
                .filter(it -> it.getName().equals(name))
                .map(it -> it.getValue().getValue())
                .findFirst()
                .orElseThrow(() -> new AssertionError(name + " is not told"));
    }

    @Test
    void seesTheCpuThatIsBurnt() {
        String pod = calls.run(calls.pod("busy"));
        ContainerConfig.Builder config = calls.container("busy", "sh", "-c", "while :; do :; done");
        // So that other tests get their turn.
        config.getLinuxBuilder()
                .setResources(LinuxContainerResources.newBuilder()
                        .setCpuPeriod(100_000)
                        .setCpuQuota(20_000));
        String busy = calls.run(pod, config);
        String idle = calls.run(pod, calls.sleeper("idle"));
        ContainerStats first = stats(busy);

        await().atMost(ChildNode.PATIENCE).untilAsserted(() -> {
            ContainerStats now = stats(busy);
            assertThat(now.getCpu().getTimestamp()).isGreaterThan(first.getCpu().getTimestamp());
            assertThat(now.getCpu().getUsageCoreNanoSeconds().getValue()).isGreaterThan(100_000_000);
            assertThat(now.getCpu().getUsageNanoCores().getValue()).isBetween(1_000_000L, 400_000_000L);
        });
        long pods = podStats(pod).getLinux().getCpu().getUsageCoreNanoSeconds().getValue();
        assertThat(pods)
                .isGreaterThanOrEqualTo(first.getCpu().getUsageCoreNanoSeconds().getValue());
        assertThat(stats(idle).getCpu().getUsageCoreNanoSeconds().getValue())
                .isLessThan(stats(busy).getCpu().getUsageCoreNanoSeconds().getValue());
        List<Metric> metrics = containerMetrics(pod, busy);
        assertThat(value(metrics, "container_spec_cpu_quota")).isEqualTo(20_000);
        assertThat(value(metrics, "container_cpu_cfs_periods_total")).isPositive();
    }

    private List<Metric> containerMetrics(String pod, String container) {
        return metrics(pod).getContainerMetricsList().stream()
                .filter(it -> it.getContainerId().equals(container))
                .findFirst()
                .orElseThrow()
                .getMetricsList();
    }

    @Test
    void seesMemoryAndItsLimit() {
        String pod = calls.run(calls.pod("memory"));
        ContainerConfig.Builder config = calls.sleeper("memory");
        config.getLinuxBuilder()
                .setResources(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(64 * MIB));
        String container = calls.run(pod, config);

        var _ = calls.shell(container, "dd if=/dev/zero of=/dev/shm/file bs=1M count=8 2>/dev/null");

        ContainerStats stats = stats(container);
        assertThat(stats.getMemory().getWorkingSetBytes().getValue()).isBetween(8L * MIB, 64L * MIB);
        assertThat(stats.getMemory().getUsageBytes().getValue())
                .isGreaterThanOrEqualTo(stats.getMemory().getWorkingSetBytes().getValue());
        assertThat(stats.getMemory().getAvailableBytes().getValue())
                .isEqualTo(64L * MIB - stats.getMemory().getWorkingSetBytes().getValue());
        assertThat(stats.getMemory().getRssBytes().getValue()).isPositive();
        assertThat(stats.getMemory().getPageFaults().getValue()).isPositive();
        assertThat(podStats(pod).getLinux().getMemory().getWorkingSetBytes().getValue())
                .isGreaterThanOrEqualTo(8L * MIB);
        assertThat(value(containerMetrics(pod, container), "container_spec_memory_limit_bytes"))
                .isEqualTo(64L * MIB);
    }

    @Test
    void seesWhatIsWrittenToTheWritableLayer() {
        String pod = calls.run(calls.pod("writing"));
        String container = calls.run(pod, calls.sleeper("writing"));
        long before = stats(container).getWritableLayer().getUsedBytes().getValue();

        var _ = calls.shell(
                container, "dd if=/dev/zero of=/file bs=1M count=4 2>/dev/null; mkdir /d; touch /d/1 /d/2; sync");

        await().atMost(ChildNode.PATIENCE).untilAsserted(() -> {
            ContainerStats now = stats(container);
            assertThat(now.getWritableLayer().getUsedBytes().getValue()).isGreaterThanOrEqualTo(before + 4 * MIB);
            assertThat(now.getWritableLayer().getInodesUsed().getValue()).isGreaterThanOrEqualTo(4);
            assertThat(now.getWritableLayer().getFsId().getMountpoint())
                    .startsWith(node.root().toString());
        });
        assertThat(value(containerMetrics(pod, container), "container_fs_usage_bytes"))
                .isGreaterThanOrEqualTo(4L * MIB);
    }

    @Test
    void seesTheTrafficOfAPod() {
        String pod = calls.run(calls.pod("talking"));
        String container = calls.run(
                pod,
                calls.container(
                        "server",
                        "sh",
                        "-c",
                        "mkdir /www; dd if=/dev/zero of=/www/a bs=1M count=2; httpd -p 8080 -h /www; sleep 3600"));
        String other = calls.run(calls.pod("other"));
        String client = calls.run(other, calls.sleeper("client"));
        String address = calls.podStatus(pod).getStatus().getNetwork().getIp();

        await().atMost(ChildNode.PATIENCE)
                .untilAsserted(() -> assertThat(
                                calls.exec(client, "wget", "-qO", "/tmp/a", "http://%s:8080/a".formatted(address))
                                        .getExitCode())
                        .isZero());

        PodSandboxStats stats = podStats(pod);
        assertThat(stats.getLinux().getNetwork().getDefaultInterface().getName())
                .isEqualTo("eth0");
        assertThat(stats.getLinux()
                        .getNetwork()
                        .getDefaultInterface()
                        .getTxBytes()
                        .getValue())
                .isGreaterThanOrEqualTo(2 * MIB);
        assertThat(podStats(other)
                        .getLinux()
                        .getNetwork()
                        .getDefaultInterface()
                        .getRxBytes()
                        .getValue())
                .isGreaterThanOrEqualTo(2 * MIB);
        assertThat(stats.getLinux().getNetwork().getInterfacesList()).isEmpty();
        assertThat(value(metrics(pod).getMetricsList(), "container_network_transmit_bytes_total"))
                .isGreaterThanOrEqualTo(2 * MIB);
        assertThat(stats.getLinux().getContainersList())
                .extracting(it -> it.getAttributes().getId())
                .containsExactly(container);
    }

    @Test
    void countsTheProcessesOfAPod() {
        String pod = calls.run(calls.pod("processes"));
        String container = calls.run(pod, calls.container("processes", "sh", "-c", "sleep 3600 & sleep 3601 & wait"));

        await().atMost(ChildNode.PATIENCE)
                .untilAsserted(() -> assertThat(podStats(pod)
                                .getLinux()
                                .getProcess()
                                .getProcessCount()
                                .getValue())
                        .isEqualTo(4)); // the shell, two sleepers and the pause program
        assertThat(value(containerMetrics(pod, container), "container_processes"))
                .isEqualTo(3);
    }

    @Test
    void listsStatsByEveryFilter() {
        String one = calls.run(calls.pod("one").putLabels("app", "a"));
        String two = calls.run(calls.pod("two").putLabels("app", "b"));
        String first = calls.run(one, calls.sleeper("first").putLabels("app", "x"));
        String second = calls.run(two, calls.sleeper("second").putLabels("app", "y"));
        var _ = calls.create(two, calls.sleeper("idle").putLabels("app", "y"));
        calls.stopPod(calls.run(calls.pod("stopped").putLabels("app", "a")));

        assertThat(containerStats(ContainerStatsFilter.newBuilder())).containsExactlyInAnyOrder(first, second);
        assertThat(containerStats(ContainerStatsFilter.newBuilder().setId(first.substring(0, 12))))
                .containsExactly(first);
        assertThat(containerStats(ContainerStatsFilter.newBuilder().setPodSandboxId(two)))
                .containsExactly(second);
        assertThat(containerStats(ContainerStatsFilter.newBuilder().putLabelSelector("app", "y")))
                .containsExactly(second);
        assertThat(podStats(PodSandboxStatsFilter.newBuilder())).containsExactlyInAnyOrder(one, two);
        assertThat(podStats(PodSandboxStatsFilter.newBuilder().setId(one))).containsExactly(one);
        assertThat(podStats(PodSandboxStatsFilter.newBuilder().putLabelSelector("app", "a")))
                .containsExactly(one);
    }

    private List<String> containerStats(ContainerStatsFilter.Builder filter) {
        return node
                .client()
                .runtime()
                .listContainerStats(
                        ListContainerStatsRequest.newBuilder().setFilter(filter).build())
                .getStatsList()
                .stream()
                .map(it -> it.getAttributes().getId())
                .toList();
    }

    private List<String> podStats(PodSandboxStatsFilter.Builder filter) {
        return node
                .client()
                .runtime()
                .listPodSandboxStats(ListPodSandboxStatsRequest.newBuilder()
                        .setFilter(filter)
                        .build())
                .getStatsList()
                .stream()
                .map(it -> it.getAttributes().getId())
                .toList();
    }

    @Test
    void everyMetricIsAnnounced() {
        String pod = calls.run(calls.pod("measured"));
        ContainerConfig.Builder config = calls.sleeper("main");
        config.getImageBuilder().setUserSpecifiedImage(TestImages.NAME);
        String container = calls.run(pod, config);
        Map<String, MetricDescriptor> announced = calls.metricDescriptors();

        PodSandboxMetrics metrics = metrics(pod);

        List<Metric> all = new ArrayList<>(metrics.getMetricsList());
        metrics.getContainerMetricsList().forEach(it -> all.addAll(it.getMetricsList()));
        assertThat(all)
                .allSatisfy(it -> assertThat(it.getLabelValuesCount())
                        .as(it.getName())
                        .isEqualTo(Objects.requireNonNull(announced.get(it.getName()))
                                .getLabelKeysCount()));
        assertThat(containerMetrics(pod, container))
                .filteredOn(it -> it.getName().equals("container_memory_usage_bytes"))
                .singleElement()
                .satisfies(it -> assertThat(it.getLabelValuesList())
                        .contains(container, TestImages.NAME, "main", "measured", "test")
                        .first()
                        .asString()
                        .startsWith(node.cgroup() + "/")
                        .endsWith(container));
    }

    @Test
    void streamsTellWhatListsTell() {
        for (int i = 0; i < 3; i++) {
            var _ = calls.run(calls.run(calls.pod("pod" + i)), calls.sleeper("main"));
        }
        var runtime = node.client().runtime();

        assertThat(streamed(
                        runtime.streamPodSandboxes(StreamPodSandboxesRequest.getDefaultInstance()),
                        StreamPodSandboxesResponse::getPodSandboxesList))
                .containsExactlyElementsOf(calls.pods())
                .extracting(PodSandbox::getId)
                .doesNotHaveDuplicates();
        assertThat(streamed(
                        runtime.streamContainers(StreamContainersRequest.getDefaultInstance()),
                        StreamContainersResponse::getContainersList))
                .containsExactlyElementsOf(calls.containers())
                .extracting(Container::getId)
                .doesNotHaveDuplicates();
        assertThat(streamed(
                        runtime.streamContainerStats(StreamContainerStatsRequest.getDefaultInstance()),
                        StreamContainerStatsResponse::getContainerStatsList))
                .extracting(it -> it.getAttributes().getId())
                .containsExactlyElementsOf(containerStats(ContainerStatsFilter.newBuilder()));
        assertThat(streamed(
                        runtime.streamPodSandboxStats(StreamPodSandboxStatsRequest.getDefaultInstance()),
                        StreamPodSandboxStatsResponse::getPodSandboxStatsList))
                .extracting(it -> it.getAttributes().getId())
                .containsExactlyElementsOf(podStats(PodSandboxStatsFilter.newBuilder()));
        assertThat(streamed(
                        runtime.streamPodSandboxMetrics(StreamPodSandboxMetricsRequest.getDefaultInstance()),
                        StreamPodSandboxMetricsResponse::getPodSandboxMetricsList))
                .extracting(PodSandboxMetrics::getPodSandboxId)
                .containsExactlyElementsOf(
                        calls.pods().stream().map(PodSandbox::getId).toList());
        assertThat(streamed(
                        node.client().images().streamImages(StreamImagesRequest.getDefaultInstance()),
                        StreamImagesResponse::getImagesList))
                .extracting(Image::getId)
                .containsExactlyElementsOf(
                        node
                                .client()
                                .images()
                                .listImages(ListImagesRequest.getDefaultInstance())
                                .getImagesList()
                                .stream()
                                .map(Image::getId)
                                .toList());
    }

    private static <B, T> List<T> streamed(Iterator<B> batches, Function<B, List<T>> items) {
        List<T> all = new ArrayList<>();
        batches.forEachRemaining(batch -> all.addAll(items.apply(batch)));
        return all;
    }
}
