package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.Cgroups;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PodCgroupsTest {

    private static final String UID = "8f6b6a3e-7c0c-4e0a-9d3f-1b2c3d4e5f60";
    private static final SandboxId ID = SandboxId.random();

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

    private static PodCgroups cgroups(CgroupDriver driver) {
        return new PodCgroups(
                Cgroups.host(), driver, driver == CgroupDriver.SYSTEMD ? "gantry.slice" : "/gantry-no-such-group");
    }

    private static Sandbox pod(String uid, String parent) {
        SandboxSecurity security = new SandboxSecurity(
                SandboxNamespaces.OWN,
                false,
                OptionalLong.empty(),
                OptionalLong.empty(),
                List.of(),
                false,
                false,
                new SecurityProfile.Unconfined(),
                new SecurityProfile.Unconfined(),
                SelinuxLabel.NONE);
        SandboxConfig config = new SandboxConfig(
                new SandboxMetadata("web", "default", uid, 0),
                "web",
                "",
                DnsConfig.HOST,
                List.of(),
                Map.of(),
                Map.of(),
                parent,
                Map.of(),
                security,
                Optional.empty(),
                Optional.empty());
        return new Sandbox(
                ID,
                config,
                "",
                SandboxState.READY,
                Instant.EPOCH,
                parent,
                false,
                "boot",
                1,
                List.of(),
                "overlayfs",
                "pause",
                SelinuxLabel.NONE);
    }

    @ParameterizedTest
    @CsvSource({
        "/kubepods/burstable/pod8f6b6a3e-7c0c-4e0a-9d3f-1b2c3d4e5f60",
        "/kubepods/pod8f6b6a3e-7c0c-4e0a-9d3f-1b2c3d4e5f60",
    })
    void findsThePodsThatTheKubeletMadeWithCgroupfs(String parent) {
        assertThat(cgroups(CgroupDriver.CGROUPFS).locationOfPod(pod(UID, parent)))
                .contains(parent);
    }

    @Test
    void findsThePodsThatTheKubeletMadeWithSystemd() {
        String slice = "kubepods-besteffort-pod" + UID.replace('-', '_') + ".slice";

        assertThat(cgroups(CgroupDriver.SYSTEMD).locationOfPod(pod(UID, slice)))
                .contains("/kubepods.slice/kubepods-besteffort.slice/" + slice);
    }

    @Test
    void findsPodsThatHaveACgroupOfTheirOwn() {
        assertThat(cgroups(CgroupDriver.CGROUPFS).locationOfPod(pod(UID, "/gantry/" + ID)))
                .contains("/gantry/" + ID);
    }

    @Test
    void takesNoCgroupForThePodsThatOthersAreInToo() {
        assertThat(cgroups(CgroupDriver.CGROUPFS).locationOfPod(pod(UID, "/kubepods/burstable")))
                .isEmpty();
        assertThat(cgroups(CgroupDriver.CGROUPFS).locationOfPod(pod(UID, "/pod" + UID + "/shared")))
                .as("the folder's name alone counts")
                .isEmpty();
        assertThat(cgroups(CgroupDriver.SYSTEMD).locationOfPod(pod(UID, "gantry.slice")))
                .isEmpty();
    }

    @Test
    void placesPodsBelowTheRootUnlessTheyNameAParent() {
        PodCgroups cgroupfs = cgroups(CgroupDriver.CGROUPFS);

        assertThat(cgroupfs.place(ID, "")).isEqualTo(new PodCgroups.Place("/gantry-no-such-group/" + ID, true));
        assertThat(cgroupfs.place(ID, "gantry-no-such-parent/pod1"))
                .as("one that nobody has made yet")
                .isEqualTo(new PodCgroups.Place("/gantry-no-such-parent/pod1", true));
        for (String wrong : List.of("/a/../b", "/a//b", "/a:b", "/")) {
            assertThatThrownBy(() -> cgroupfs.place(ID, wrong))
                    .isInstanceOf(SandboxException.InvalidRequest.class)
                    .hasMessageContaining("is not a plain path");
        }
    }

    @Test
    void leavesACgroupThatIsThereToWhoeverMadeIt(@TempDir Path hierarchy) throws IOException {
        Files.createDirectories(hierarchy.resolve("kubepods/pod" + UID));
        Cgroups made = Cgroups.at(Cgroups.Version.V1, Map.of("cpu", hierarchy));
        PodCgroups cgroups = new PodCgroups(made, CgroupDriver.CGROUPFS, "/gantry");

        assertThat(cgroups.place(ID, "/kubepods/pod" + UID))
                .isEqualTo(new PodCgroups.Place("/kubepods/pod" + UID, false));
    }

    @Test
    void placesPodsInSlicesThatSystemdMakes() {
        PodCgroups systemd = cgroups(CgroupDriver.SYSTEMD);
        String slice = "kubepods-pod" + UID.replace('-', '_') + ".slice";

        assertThat(systemd.place(ID, "")).isEqualTo(new PodCgroups.Place("gantry.slice", false));
        assertThat(systemd.place(ID, slice)).isEqualTo(new PodCgroups.Place(slice, false));
        assertThat(systemd.place(ID, "/kubepods.slice/" + slice)).isEqualTo(new PodCgroups.Place(slice, false));
        for (String wrong : List.of("/kubepods/pod1", "a:b.slice", "kubepods.scope")) {
            assertThatThrownBy(() -> systemd.place(ID, wrong))
                    .isInstanceOf(SandboxException.InvalidRequest.class)
                    .hasMessageContaining("is not a slice");
        }
    }
}
