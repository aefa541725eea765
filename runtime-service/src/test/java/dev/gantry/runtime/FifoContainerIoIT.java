package dev.gantry.runtime;

import java.nio.file.Path;

/// With Debian's shim, which knows FIFOs alone.
class FifoContainerIoIT extends ContainerIoContract {

    @Override
    Path shim() {
        return Path.of("/usr/bin/containerd-shim-runc-v2");
    }

    @Override
    Class<? extends ContainerIo> implementation() {
        return FifoContainerIo.class;
    }
}
