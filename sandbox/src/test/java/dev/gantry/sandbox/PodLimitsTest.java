package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.Cgroups;
import dev.gantry.sandbox.PodLimits.Limit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PodLimitsTest {

    private static final LinuxResources POD = new LinuxResources(
            50_000,
            25_000,
            1024,
            1 << 20,
            0,
            0,
            "0-1",
            "0",
            List.of(new LinuxResources.HugepageLimit("2MB", 0)),
            Map.of());
    private static final LinuxResources OVERHEAD =
            new LinuxResources(100_000, 10_000, 256, 4096, 0, 0, "", "", List.of(), Map.of());

    /// No group of this name is there, so no file in it can be read.
    private static List<Limit> limits(Cgroups.Version version, LinuxResources resources) {
        return new PodLimits(Cgroups.host(), version, "/gantry-no-such-group").of(resources);
    }

    @Test
    void areFilesOfVersion1() {
        assertThat(limits(Cgroups.Version.V1, POD))
                .startsWith(
                        new Limit("cpu", "cpu.cfs_period_us", "50000"),
                        new Limit("cpu", "cpu.cfs_quota_us", "25000"),
                        new Limit("cpu", "cpu.shares", "1024"),
                        new Limit("memory", "memory.limit_in_bytes", "1048576"),
                        new Limit("cpuset", "cpuset.cpus", "0-1"),
                        new Limit("cpuset", "cpuset.mems", "0"));
    }

    @Test
    void areFilesOfVersion2() {
        assertThat(limits(Cgroups.Version.V2, POD))
                .startsWith(
                        new Limit("cpu", "cpu.max", "25000 50000"),
                        new Limit("cpu", "cpu.weight", "100"),
                        new Limit("memory", "memory.max", "1048576"));
        assertThat(limits(Cgroups.Version.V2, unlimited()))
                .containsExactly(new Limit("cpu", "cpu.max", "max 100000"), new Limit("memory", "memory.max", "max"));
    }

    private static LinuxResources unlimited() {
        return new LinuxResources(0, -1, 0, -1, 0, 0, "", "", List.of(), Map.of());
    }

    @Test
    void countWhatRunningThePodCosts() {
        LinuxResources total = POD.plus(OVERHEAD);

        assertThat(total.cpuQuota()).isEqualTo(30_000); // a tenth of a processor more, in the pod's own period
        assertThat(total.cpuShares()).isEqualTo(1280);
        assertThat(total.memoryLimit()).isEqualTo((1 << 20) + 4096);
        assertThat(LinuxResources.NONE.plus(OVERHEAD)).isEqualTo(LinuxResources.NONE);
        assertThat(unlimited().plus(OVERHEAD).memoryLimit()).isEqualTo(-1);
    }

    @Test
    void keepWhatAnUpdateLeavesOut() {
        LinuxResources change = new LinuxResources(0, -1, 0, 5, 0, 0, "", "", List.of(), Map.of());

        LinuxResources updated = POD.updated(change);

        assertThat(updated.cpuQuota()).isEqualTo(-1);
        assertThat(updated.memoryLimit()).isEqualTo(5);
        assertThat(updated.cpuShares()).isEqualTo(1024);
        assertThat(updated.cpusetCpus()).isEqualTo("0-1");
    }

    @Test
    void refuseWhatCannotBe() {
        assertThatThrownBy(() -> new LinuxResources(0, 0, 0, -2, 0, 0, "", "", List.of(), Map.of()))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessageContaining("memory limit");
        assertThatThrownBy(() -> new LinuxResources.HugepageLimit("../2MB", 1))
                .isInstanceOf(SandboxException.InvalidRequest.class);
        assertThatThrownBy(() -> new LinuxResources(0, 0, 0, 0, 0, 0, "", "", List.of(), Map.of("memory/../x", "1")))
                .isInstanceOf(SandboxException.InvalidRequest.class);
        LinuxResources swapless = new LinuxResources(0, 0, 0, 10, 5, 0, "", "", List.of(), Map.of());
        assertThatThrownBy(() -> limits(Cgroups.Version.V2, swapless))
                .isInstanceOf(SandboxException.InvalidRequest.class);
        LinuxResources unified = new LinuxResources(0, 0, 0, 0, 0, 0, "", "", List.of(), Map.of("memory.high", "1"));
        assertThatThrownBy(() -> limits(Cgroups.Version.V1, unified))
                .isInstanceOf(SandboxException.InvalidRequest.class);
        assertThat(limits(Cgroups.Version.V2, unified)).containsExactly(new Limit("memory", "memory.high", "1"));
    }
}
