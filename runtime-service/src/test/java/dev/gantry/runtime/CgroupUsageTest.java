package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.runtime.v1.CpuUsage;
import dev.gantry.cri.runtime.v1.MemoryUsage;
import dev.gantry.cri.runtime.v1.SwapUsage;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.Pressure;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupUsageTest {

    @TempDir
    private Path folder;

    private static CgroupUsage usage(Cgroups cgroups) {
        return new CgroupUsage(cgroups.keep(RecordedCgroups.PATH), cgroups.isV2());
    }

    @Test
    void bothVersionsTellTheSame() {
        CgroupUsage.Memory memory = new CgroupUsage.Memory(
                12582912,
                OptionalLong.of(67108864),
                4194304,
                131072,
                2097152,
                8388608,
                4096,
                600,
                5,
                OptionalLong.of(12288),
                OptionalLong.of(33554432));

        for (Cgroups cgroups :
                new Cgroups[] {RecordedCgroups.v1(folder.resolve("v1")), RecordedCgroups.v2(folder.resolve("v2"))}) {
            try (CgroupUsage usage = usage(cgroups)) {
                assertThat(usage.cpuNanos()).hasValue(2_500_000_000L);
                assertThat(usage.memory()).contains(memory);
            }
        }
    }

    @Test
    void onlyVersion2KnowsOfWaiting() {
        try (CgroupUsage v1 = usage(RecordedCgroups.v1(folder.resolve("v1")));
                CgroupUsage v2 = usage(RecordedCgroups.v2(folder.resolve("v2")))) {
            assertThat(v1.pressure("cpu")).isEqualTo(Optional.empty());
            assertThat(v2.pressure("cpu").flatMap(Pressure::some))
                    .contains(new Pressure.Stall(1.5, 0.75, 0.25, 5_000_000));
            assertThat(v2.pressure("io").flatMap(Pressure::full).map(Pressure.Stall::totalMicros))
                    .contains(3_000_001L);
        }
    }

    @Test
    void aGroupThatIsGoneTellsNothing() {
        Cgroups cgroups = Cgroups.at(Cgroups.Version.V2, Map.of("cpu", folder, "memory", folder));
        try (CgroupUsage usage = usage(cgroups)) {
            assertThat(usage.cpuNanos()).isEmpty();
            assertThat(usage.memory()).isEmpty();
            assertThat(usage.pressure("memory")).isEmpty();
        }
    }

    @Test
    void messagesHaveTheUnitsOfTheCri() {
        try (CgroupUsage usage = usage(RecordedCgroups.v2(folder))) {
            CpuUsage cpu = UsageMessages.cpu(7, 2_500_000_000L, OptionalLong.of(42), usage.pressure("cpu"));
            CgroupUsage.Memory figures = usage.memory().orElseThrow();
            MemoryUsage memory = UsageMessages.memory(7, figures, usage.pressure("memory"));
            SwapUsage swap = UsageMessages.swap(7, figures).orElseThrow();

            assertThat(cpu.getUsageNanoCores().getValue()).isEqualTo(42);
            assertThat(cpu.getPsi().getSome().getTotal()).isEqualTo(5_000_000_000L);
            assertThat(cpu.getPsi().getFull().getAvg10()).isEqualTo(0.5);
            assertThat(memory.getWorkingSetBytes().getValue()).isEqualTo(12582912 - 4194304);
            assertThat(memory.getAvailableBytes().getValue()).isEqualTo(67108864 - 12582912 + 4194304);
            assertThat(swap.getSwapUsageBytes().getValue()).isEqualTo(12288);
            assertThat(swap.getSwapAvailableBytes().getValue()).isEqualTo(33554432 - 12288);
        }
    }

    @Test
    void whatIsNotKnownIsNotSet() {
        CgroupUsage.Memory figures = new CgroupUsage.Memory(
                100, OptionalLong.empty(), -1, -1, -1, -1, -1, -1, -1, OptionalLong.empty(), OptionalLong.empty());

        MemoryUsage memory = UsageMessages.memory(7, figures, Optional.empty());

        assertThat(memory.getWorkingSetBytes().getValue()).isEqualTo(100);
        assertThat(memory.hasAvailableBytes()).isFalse();
        assertThat(memory.hasRssBytes()).isFalse();
        assertThat(memory.hasPageFaults()).isFalse();
        assertThat(memory.hasPsi()).isFalse();
        assertThat(UsageMessages.swap(7, figures)).isEmpty();
        assertThat(UsageMessages.cpu(7, 1, OptionalLong.empty(), Optional.empty())
                        .hasUsageNanoCores())
                .isFalse();
    }
}
