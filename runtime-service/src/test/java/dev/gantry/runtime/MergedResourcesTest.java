package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.HugepageLimit;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import org.junit.jupiter.api.Test;

class MergedResourcesTest {

    private static final LinuxContainerResources PRESENT = LinuxContainerResources.newBuilder()
            .setCpuPeriod(100_000)
            .setCpuQuota(20_000)
            .setCpuShares(512)
            .setMemoryLimitInBytes(1000)
            .setCpusetCpus("0-1")
            .addHugepageLimits(HugepageLimit.newBuilder().setPageSize("2MB").setLimit(5))
            .putUnified("memory.high", "900")
            .build();

    @Test
    void keepsWhatAChangeLeavesOut() {
        assertThat(MergedResources.of(PRESENT, LinuxContainerResources.getDefaultInstance()))
                .isEqualTo(PRESENT);
    }

    @Test
    void takesWhatAChangeSays() {
        LinuxContainerResources change = LinuxContainerResources.newBuilder()
                .setCpuQuota(-1)
                .setMemoryLimitInBytes(2000)
                .addHugepageLimits(HugepageLimit.newBuilder().setPageSize("2MB").setLimit(7))
                .addHugepageLimits(HugepageLimit.newBuilder().setPageSize("1GB").setLimit(1))
                .putUnified("memory.min", "10")
                .build();

        assertThat(MergedResources.of(PRESENT, change))
                .isEqualTo(PRESENT.toBuilder()
                        .setCpuQuota(-1)
                        .setMemoryLimitInBytes(2000)
                        .setHugepageLimits(
                                0, HugepageLimit.newBuilder().setPageSize("2MB").setLimit(7))
                        .addHugepageLimits(
                                HugepageLimit.newBuilder().setPageSize("1GB").setLimit(1))
                        .putUnified("memory.min", "10")
                        .build());
    }
}
