package dev.gantry.shim;

import java.nio.file.Path;

/// The same with the shim that ends where it does something undefined.
class ShimIdleAsanIT extends ShimIdleIT {

    @Override
    Path binary() {
        return GantryShimAsanIT.sanitized();
    }
}
