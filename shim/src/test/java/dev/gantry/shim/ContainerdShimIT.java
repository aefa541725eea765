package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.Optional;

/// With the shim of containerd 2.4, which takes BootstrapParams and speaks version 3.
class ContainerdShimIT extends ShimContract {

    @Override
    Path binary() {
        Requirements.check();
        var binary = Requirements.tool("GANTRY_SHIM_2_4", "containerd-shim-runc-v2");
        assumeTrue(binary.isPresent(), "no containerd-shim-runc-v2 2.4: set GANTRY_SHIM_2_4 or run hack/tool");
        return binary.get();
    }

    @Override
    public int version() {
        return 3;
    }

    @Override
    public void describesItself(Optional<ShimInfo> info) {
        assertThat(info).isPresent();
        assertThat(info.orElseThrow().name()).isEqualTo("io.containerd.runc.v2");
        assertThat(info.orElseThrow().version()).startsWith("v2.");
        assertThat(info.orElseThrow().features().orElseThrow()).contains("\"ociVersionMin\"");
    }
}
