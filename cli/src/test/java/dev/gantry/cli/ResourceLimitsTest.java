package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResourceLimitsTest {

    private static final long GIB = 1L << 30;

    @ParameterizedTest
    @CsvSource({
        "1, 1000, 1000",
        "100m, 1000, 100",
        "0.5, 1000, 500",
        "1.0005, 1000, 1001",
        "64Mi, 1, 67108864",
        "1G, 1, 1000000000",
        "1e3, 1, 1000",
        "1500m, 1, 2",
        "9999999999Gi, 1, 9223372036854775807",
    })
    void quantitiesAreRoundedUpAndBounded(String text, int factor, long expected) {
        assertThat(ResourceLimits.amount(new Quantity(text), factor)).isEqualTo(expected);
    }

    @Test
    void aContainerWithoutLimitsGetsTheFewestShares() {
        LinuxContainerResources linux = new ResourceLimits(0, 0, 0, 0).forContainer(1000);

        assertThat(linux)
                .isEqualTo(LinuxContainerResources.newBuilder()
                        .setCpuShares(2)
                        .setOomScoreAdj(1000)
                        .build());
    }

    @Test
    void limitsBecomeQuotaAndShares() {
        LinuxContainerResources linux = new ResourceLimits(250, 500, GIB, 2 * GIB).forContainer(3);

        assertThat(linux.getCpuShares()).isEqualTo(256);
        assertThat(linux.getCpuQuota()).isEqualTo(50_000);
        assertThat(linux.getCpuPeriod()).isEqualTo(100_000);
        assertThat(linux.getMemoryLimitInBytes()).isEqualTo(2 * GIB);
    }

    @Property
    void sharesAndQuotaStayInTheRangesOfTheKernel(@ForAll @LongRange(min = 0, max = 1_000_000_000) long milliCpu) {
        assertThat(ResourceLimits.shares(milliCpu)).isBetween(2L, 262_144L);
        long quota = ResourceLimits.quota(milliCpu);
        assertThat(quota == 0).isEqualTo(milliCpu == 0);
        assertThat(quota == 0 || quota >= 1000).isTrue();
    }

    @Property
    void moreMemoryAskedForNeverMeansDyingEarlier(
            @ForAll @LongRange(min = 0, max = 64L << 30) long less,
            @ForAll @LongRange(min = 0, max = 64L << 30) long more,
            @ForAll @IntRange(min = 1, max = 64) int node) {
        var small = new ResourceLimits(1, 0, Math.min(less, more), 0);
        var large = new ResourceLimits(1, 0, Math.max(less, more), 0);

        int first = small.oomScore(QualityOfService.BURSTABLE, node * GIB);
        int second = large.oomScore(QualityOfService.BURSTABLE, node * GIB);

        assertThat(second).isBetween(3, first);
        assertThat(first).isLessThanOrEqualTo(999);
    }

    @Test
    void classesOfPods() {
        var nothing = new ResourceLimits(0, 0, 0, 0);
        var whole = new ResourceLimits(100, 100, GIB, GIB);
        var part = new ResourceLimits(50, 100, GIB, GIB);

        assertThat(ResourceLimits.quality(List.of(nothing, nothing))).isEqualTo(QualityOfService.BEST_EFFORT);
        assertThat(ResourceLimits.quality(List.of(whole, whole))).isEqualTo(QualityOfService.GUARANTEED);
        assertThat(ResourceLimits.quality(List.of(whole, nothing))).isEqualTo(QualityOfService.BURSTABLE);
        assertThat(ResourceLimits.quality(List.of(part))).isEqualTo(QualityOfService.BURSTABLE);
        assertThat(whole.oomScore(QualityOfService.GUARANTEED, GIB)).isEqualTo(-997);
        assertThat(nothing.oomScore(QualityOfService.BEST_EFFORT, GIB)).isEqualTo(1000);
    }

    @Test
    void aPodIsLimitedOnlyIfAllItsContainersAre() {
        var limited = new ResourceLimits(100, 200, GIB, GIB);
        var unlimited = new ResourceLimits(100, 0, 0, 0);
        var large = new ResourceLimits(400, 500, 3 * GIB, 3 * GIB);

        LinuxContainerResources sum = ResourceLimits.forPod(List.of(limited, limited), List.of());
        assertThat(sum.getCpuQuota()).isEqualTo(40_000);
        assertThat(sum.getMemoryLimitInBytes()).isEqualTo(2 * GIB);

        LinuxContainerResources open = ResourceLimits.forPod(List.of(limited, unlimited), List.of());
        assertThat(open.getCpuQuota()).isZero();
        assertThat(open.getMemoryLimitInBytes()).isZero();
        assertThat(open.getCpuShares()).isEqualTo(204);

        assertThat(ResourceLimits.forPod(List.of(limited), List.of(large)).getMemoryLimitInBytes())
                .isEqualTo(3 * GIB);
    }
}
