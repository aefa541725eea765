package dev.gantry.shim;

import java.nio.file.Path;
import java.util.Optional;

/// The program of a shim and what it is told at its start.
///
/// @param path absolute
/// @param options empty for a shim that is told nothing
public record ShimBinary(Path path, Optional<ShimOptions> options) {

    public ShimBinary {
        if (!path.isAbsolute()) {
            throw new IllegalArgumentException("a shim's binary is not absolute: " + path);
        }
    }
}
