package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// With our own shim, as the build leaves it: the static release binary.
class GantryShimIT extends ShimContract {

    private static final Path BINARY =
            Path.of("target/containerd-shim-gantry-v1").toAbsolutePath();

    @Override
    Path binary() {
        return built();
    }

    /// The binary that is shipped, or the test is skipped with a reason.
    static Path built() {
        Requirements.check();
        assumeTrue(Files.isExecutable(BINARY), "not built: " + BINARY);
        return BINARY;
    }

    @Override
    int version() {
        return 3;
    }

    @Override
    void describesItself(Optional<ShimInfo> info) {
        assertThat(info).isPresent();
        assertThat(info.orElseThrow().name()).isEqualTo("io.containerd.gantry.v1");
        assertThat(info.orElseThrow().version()).isNotEmpty();
        assertThat(info.orElseThrow().features().orElseThrow()).contains("\"ociVersionMin\"");
    }
}
