package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.linux.Cgroups;
import dev.gantry.linux.HostFacts;
import org.junit.jupiter.api.Test;

class NodeFeaturesTest {

    @Test
    void areFoundOnAnyNode() {
        NodeFeatures node = NodeFeatures.detect(Cgroups.host());

        assertThat(node.capability().test(HostFacts.CAP_SYS_ADMIN))
                .isEqualTo(HostFacts.hasCapability(HostFacts.CAP_SYS_ADMIN));
        assertThat(node.unifiedCgroups()).isEqualTo(Cgroups.version() == Cgroups.Version.V2);
    }
}
