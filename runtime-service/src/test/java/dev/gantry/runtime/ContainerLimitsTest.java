package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.runtime.v1.HugepageLimit;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class ContainerLimitsTest {

    private static final NodeFeatures V1 = new NodeFeatures(number -> true, false, true, Set.of("memory", "hugetlb"));
    private static final NodeFeatures V2 = new NodeFeatures(number -> true, true, true, Set.of("memory", "hugetlb"));
    private static final NodeFeatures POOR = new NodeFeatures(number -> true, false, false, Set.of());

    private static String json(NodeFeatures node, UnaryOperator<LinuxContainerResources.Builder> request) {
        Resources resources = ContainerLimits.of(
                request.apply(LinuxContainerResources.newBuilder()).build(),
                List.of(Resources.DeviceRule.DENY_ALL),
                node);
        return new String(resources.toJson(), StandardCharsets.UTF_8);
    }

    @Test
    void areWrittenAsContainerdDoes() {
        assertThat(json(
                        V1,
                        it -> it.setCpuPeriod(100_000)
                                .setCpuQuota(50_000)
                                .setCpuShares(512)
                                .setMemoryLimitInBytes(67_108_864)))
                .contains("\"shares\":512", "\"quota\":50000", "\"period\":100000")
                .contains("\"limit\":67108864", "\"swap\":67108864")
                .contains("\"access\":\"rwm\"");
    }

    @Test
    void touchNothingThatWasNotSaid() {
        assertThat(json(V1, it -> it))
                .doesNotContain("shares", "quota", "period", "cpus", "limit", "swap", "hugepage", "unified", "pids");
    }

    @Test
    void keepProcessorsAndMemoryNodes() {
        assertThat(json(V1, it -> it.setCpusetCpus("0-3,7").setCpusetMems("0")))
                .contains("\"cpus\":\"0-3,7\"", "\"mems\":\"0\"");
    }

    @Test
    void limitSwapOnlyWhereTheKernelCountsIt() {
        assertThat(json(POOR, it -> it.setMemoryLimitInBytes(1000).setMemorySwapLimitInBytes(2000)))
                .contains("\"limit\":1000")
                .doesNotContain("swap");
        assertThat(json(V1, it -> it.setMemoryLimitInBytes(1000).setMemorySwapLimitInBytes(2000)))
                .contains("\"swap\":2000");
        assertThat(json(V1, it -> it.setMemoryLimitInBytes(1000).setMemorySwapLimitInBytes(-1)))
                .contains("\"swap\":-1");
    }

    @Test
    void limitHugePagesWhereTheKernelCan() {
        HugepageLimit pages =
                HugepageLimit.newBuilder().setPageSize("2MB").setLimit(4096).build();
        HugepageLimit none = HugepageLimit.newBuilder().setPageSize("1GB").build();

        assertThat(json(V1, it -> it.addHugepageLimits(pages).addHugepageLimits(none)))
                .contains("{\"pageSize\":\"2MB\",\"limit\":4096}", "{\"pageSize\":\"1GB\",\"limit\":0}");
        assertThat(json(POOR, it -> it.addHugepageLimits(none))).doesNotContain("hugepage");
        assertRefused(
                POOR,
                it -> it.addHugepageLimits(pages),
                "cannot limit huge pages of 2MB: the node has no hugetlb cgroup controller");
        assertRefused(
                V1,
                it -> it.addHugepageLimits(HugepageLimit.newBuilder().setPageSize("../2MB")),
                "huge page size \"../2MB\" is not written as in 2MB");
    }

    @Test
    void writeCgroupFilesOfVersionTwoOnly() {
        assertThat(json(V2, it -> it.putUnified("memory.high", "1000")))
                .contains("\"unified\":{\"memory.high\":\"1000\"}");
        assertRefused(
                V1,
                it -> it.putUnified("memory.high", "1000"),
                "unified cgroup key memory.high needs cgroup v2, and this node has v1");
        assertRefused(
                V2,
                it -> it.putUnified("../cgroup.procs", "1"),
                "unified cgroup key \"../cgroup.procs\" is not the name of a cgroup file");
    }

    @Test
    void areRefusedByNameWhereTheyMeanNothing() {
        assertRefused(V1, it -> it.setCpuPeriod(-1), "cpu_period -1 is less than 0");
        assertRefused(V1, it -> it.setCpuQuota(-2), "cpu_quota -2 is less than -1");
        assertRefused(V1, it -> it.setCpuShares(-5), "cpu_shares -5 is less than 0");
        assertRefused(V1, it -> it.setMemoryLimitInBytes(-2), "memory_limit_in_bytes -2 is less than -1");
        assertRefused(V1, it -> it.setMemorySwapLimitInBytes(-2), "memory_swap_limit_in_bytes -2 is less than -1");
        assertRefused(
                V1,
                it -> it.setMemoryLimitInBytes(2000).setMemorySwapLimitInBytes(1000),
                "memory_swap_limit_in_bytes 1000 is less than memory_limit_in_bytes 2000");
        assertRefused(V1, it -> it.setCpusetCpus("0-"), "cpuset_cpus \"0-\" is not a list as in 0-3,7");
        assertRefused(V1, it -> it.setCpusetMems("a"), "cpuset_mems \"a\" is not a list as in 0-3,7");
    }

    private static void assertRefused(
            NodeFeatures node, UnaryOperator<LinuxContainerResources.Builder> request, String message) {
        assertThatThrownBy(() -> json(node, request))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage(message);
    }
}
