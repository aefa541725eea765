package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.linux.Cgroups;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PodCgroupsTest {

    @Test
    void putsContainersBelowThePodWithCgroupfs() {
        PodCgroups cgroups = new PodCgroups(Cgroups.host(), CgroupDriver.CGROUPFS, "/gantry");

        assertThat(cgroups.pathOf("/kubepods/pod1", "c1")).isEqualTo("/kubepods/pod1/c1");
        assertThat(cgroups.locationOf("/kubepods/pod1", "c1")).isEqualTo("/kubepods/pod1/c1");
    }

    @ParameterizedTest
    @CsvSource({
        "gantry.slice, /gantry.slice/gantry-c1.scope",
        "a-b.slice, /a.slice/a-b.slice/gantry-c1.scope",
        "kubepods-burstable-pod1_2.slice,"
                + " /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/gantry-c1.scope",
        "-.slice, /gantry-c1.scope",
    })
    void findsScopesWhereSystemdPutsThem(String slice, String location) {
        PodCgroups cgroups = new PodCgroups(Cgroups.host(), CgroupDriver.SYSTEMD, "gantry.slice");

        assertThat(cgroups.pathOf(slice, "c1")).isEqualTo(slice + ":gantry:c1");
        assertThat(cgroups.locationOf(slice, "c1")).isEqualTo(location);
    }
}
