package dev.gantry.shim;

import java.nio.file.Path;
import java.util.Optional;

/// The program of a shim and what it is told at its start.
///
/// @param path absolute
/// @param options for shims that drive runc; others get none
public record ShimBinary(Path path, Optional<RuncOptions> options) {

    public ShimBinary {
        if (!path.isAbsolute()) {
            throw new IllegalArgumentException("a shim's binary is not absolute: " + path);
        }
    }
}
