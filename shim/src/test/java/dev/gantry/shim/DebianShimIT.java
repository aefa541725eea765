package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// With the shim of the distribution: containerd 1.6 in Debian 12, which takes options only and speaks
/// version 2.
class DebianShimIT extends ShimContract {

    private static final Path BINARY = Path.of("/usr/bin/containerd-shim-runc-v2");

    @Override
    Path binary() {
        Requirements.check();
        assumeTrue(Files.isExecutable(BINARY), "not installed: " + BINARY);
        return BINARY;
    }

    @Override
    public int version() {
        return 2;
    }

    @Override
    public void describesItself(Optional<ShimInfo> info) {
        assertThat(info).isEmpty();
    }
}
