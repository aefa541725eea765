package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.runtime.v1.Capability;
import dev.gantry.sandbox.SpecParts;
import java.util.List;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;

class ContainerCapabilitiesTest {

    private static final IntPredicate EVERYTHING = number -> true;
    private static final IntPredicate WITHOUT_SYS_RESOURCE =
            number -> !ContainerCapabilities.NAMES.get(number).equals("CAP_SYS_RESOURCE");

    private static Capability request(List<String> add, List<String> drop, List<String> ambient) {
        return Capability.newBuilder()
                .addAllAddCapabilities(add)
                .addAllDropCapabilities(drop)
                .addAllAddAmbientCapabilities(ambient)
                .build();
    }

    private static List<String> bounding(List<String> add, List<String> drop) {
        return ContainerCapabilities.of(request(add, drop, List.of()), EVERYTHING)
                .bounding();
    }

    @Test
    void areTheDefaultOnesWithoutARequest() {
        OciProcess.Capabilities capabilities = ContainerCapabilities.of(Capability.getDefaultInstance(), EVERYTHING);

        assertThat(capabilities.bounding()).isEqualTo(SpecParts.DEFAULT_CAPABILITIES);
        assertThat(capabilities.effective()).isEqualTo(SpecParts.DEFAULT_CAPABILITIES);
        assertThat(capabilities.permitted()).isEqualTo(SpecParts.DEFAULT_CAPABILITIES);
        // CVE-2022-29162
        assertThat(capabilities.inheritable()).isEmpty();
        assertThat(capabilities.ambient()).isEmpty();
    }

    @Test
    void areAddedAndDroppedByName() {
        assertThat(bounding(List.of("net_admin", "CAP_SYS_TIME"), List.of("chown", "CAP_KILL")))
                .contains("CAP_NET_ADMIN", "CAP_SYS_TIME", "CAP_MKNOD")
                .doesNotContain("CAP_CHOWN", "CAP_KILL");
    }

    @Test
    void areAllOrNoneBeforeSingleNamesCount() {
        assertThat(bounding(List.of("ALL"), List.of())).isEqualTo(ContainerCapabilities.NAMES);
        assertThat(bounding(List.of("all"), List.of("SYS_ADMIN")))
                .hasSize(ContainerCapabilities.NAMES.size() - 1)
                .doesNotContain("CAP_SYS_ADMIN");
        assertThat(bounding(List.of(), List.of("ALL"))).isEmpty();
        assertThat(bounding(List.of("NET_BIND_SERVICE"), List.of("ALL"))).containsExactly("CAP_NET_BIND_SERVICE");
        assertThat(bounding(List.of("ALL"), List.of("ALL"))).isEmpty();
    }

    @Test
    void leaveOutWhatTheDaemonDoesNotHave() {
        assertThat(ContainerCapabilities.privileged(WITHOUT_SYS_RESOURCE).bounding())
                .hasSize(ContainerCapabilities.NAMES.size() - 1)
                .doesNotContain("CAP_SYS_RESOURCE");
        assertThat(ContainerCapabilities.of(request(List.of("ALL"), List.of(), List.of()), WITHOUT_SYS_RESOURCE)
                        .bounding())
                .doesNotContain("CAP_SYS_RESOURCE");
    }

    @Test
    void areRefusedByNameWhereTheDaemonDoesNotHaveThem() {
        Capability request = request(List.of("SYS_RESOURCE"), List.of(), List.of());

        assertThatThrownBy(() -> ContainerCapabilities.of(request, WITHOUT_SYS_RESOURCE))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("cannot add capability CAP_SYS_RESOURCE: the daemon does not have it itself");
    }

    @Test
    void areInheritableOnlyWhereAmbient() {
        OciProcess.Capabilities capabilities =
                ContainerCapabilities.of(request(List.of("NET_ADMIN"), List.of(), List.of("net_admin")), EVERYTHING);

        assertThat(capabilities.ambient()).containsExactly("CAP_NET_ADMIN");
        assertThat(capabilities.inheritable()).containsExactly("CAP_NET_ADMIN");
    }

    @Test
    void areRefusedAsAmbientOnesWhereNotHeld() {
        Capability request = request(List.of(), List.of(), List.of("NET_ADMIN"));

        assertThatThrownBy(() -> ContainerCapabilities.of(request, EVERYTHING))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("ambient capability CAP_NET_ADMIN is not among those that the container has");
    }

    @Test
    void haveTheirNumbersFromTheKernel() {
        assertThat(ContainerCapabilities.NAMES.indexOf("CAP_SYS_ADMIN")).isEqualTo(21);
        assertThat(ContainerCapabilities.NAMES.indexOf("CAP_SYS_RESOURCE")).isEqualTo(24);
        assertThat(ContainerCapabilities.NAMES.indexOf("CAP_CHECKPOINT_RESTORE"))
                .isEqualTo(40);
        assertThat(ContainerCapabilities.NAMES).doesNotHaveDuplicates().containsAll(SpecParts.DEFAULT_CAPABILITIES);
    }
}
