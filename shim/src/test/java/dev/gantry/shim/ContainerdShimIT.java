package dev.gantry.shim;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;

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
    int version() {
        return 3;
    }
}
