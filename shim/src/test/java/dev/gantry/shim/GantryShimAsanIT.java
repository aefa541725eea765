package dev.gantry.shim;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// With our own shim as `hack/test-shim --asan` builds it: it ends where it does something undefined.
class GantryShimAsanIT extends GantryShimIT {

    @Override
    Path binary() {
        return sanitized();
    }

    /// That build, or the test is skipped with a reason.
    static Path sanitized() {
        Requirements.check();
        Optional<Path> binary =
                Optional.ofNullable(System.getenv("GANTRY_SHIM_ASAN")).map(Path::of);
        assumeTrue(binary.filter(Files::isExecutable).isPresent(), "GANTRY_SHIM_ASAN names no build of the shim");
        return binary.orElseThrow();
    }
}
