package dev.gantry.shim;

import java.nio.file.Path;

/// The same with the shim that ends where it does something undefined.
class ShimStreamsAsanIT extends ShimStreamsIT {

    @Override
    Path binary() {
        return GantryShimAsanIT.sanitized();
    }
}
