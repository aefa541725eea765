package dev.gantry.runtime;

import java.nio.file.Path;

/// With our own shim, which holds the streams itself.
class ShimContainerIoIT extends ContainerIoContract {

    @Override
    Path shim() {
        return Path.of("../shim/target/containerd-shim-gantry-v1")
                .toAbsolutePath()
                .normalize();
    }

    @Override
    Class<? extends ContainerIo> implementation() {
        return ShimContainerIo.class;
    }
}
