package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.runtime.v1.Capability;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ContainerCapabilitiesProperties {

    @Property
    void whatIsDroppedIsNeverHeldAndWhatIsAddedIsElse(
            @ForAll("lists") List<String> added, @ForAll("lists") List<String> dropped) {
        OciProcess.Capabilities capabilities = ContainerCapabilities.of(
                Capability.newBuilder()
                        .addAllAddCapabilities(added)
                        .addAllDropCapabilities(dropped)
                        .build(),
                number -> true);

        List<String> out = full(dropped);
        List<String> in = full(added);
        assertThat(capabilities.bounding()).doesNotContainAnyElementsOf(out.isEmpty() ? List.of("") : out);
        in.removeAll(out);
        assertThat(capabilities.bounding()).containsAll(in).doesNotHaveDuplicates();
        assertThat(ContainerCapabilities.NAMES).containsAll(capabilities.bounding());
    }

    @Property
    void anyOtherNameIsRefusedByName(@ForAll String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        Assume.that(!upper.equals("ALL"));
        Assume.that(!ContainerCapabilities.NAMES.contains(upper));
        Assume.that(!ContainerCapabilities.NAMES.contains("CAP_" + upper));
        Capability request = Capability.newBuilder().addAddCapabilities(name).build();

        assertThatThrownBy(() -> ContainerCapabilities.of(request, number -> true))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageContaining("unknown capability \"" + name + "\"");
    }

    private static List<String> full(List<String> names) {
        return new ArrayList<>(names.stream()
                .map(it -> it.toUpperCase(Locale.ROOT))
                .map(it -> it.startsWith("CAP_") ? it : "CAP_" + it)
                .toList());
    }

    @Provide
    Arbitrary<List<String>> lists() {
        Arbitrary<String> full = Arbitraries.of(ContainerCapabilities.NAMES);
        return Arbitraries.oneOf(full, full.map(it -> it.substring(4)), full.map(it -> it.toLowerCase(Locale.ROOT)))
                .list()
                .ofMaxSize(6);
    }
}
