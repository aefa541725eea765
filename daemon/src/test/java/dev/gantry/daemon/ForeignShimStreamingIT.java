package dev.gantry.daemon;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

/// The same with a shim that knows FIFOs alone: the daemon then holds the streams itself.
class ForeignShimStreamingIT extends StreamingIT {

    private static final String SHIM = "containerd-shim-runc-v2";

    @Override
    String shim() {
        assumeTrue(Programs.ofEnvironment().find(SHIM).isPresent(), "skipped: no " + SHIM + " in PATH");
        return SHIM;
    }
}
