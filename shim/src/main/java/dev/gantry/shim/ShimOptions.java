package dev.gantry.shim;

import com.google.protobuf.Any;

/// What a shim is told of how to run its containers.
public sealed interface ShimOptions permits RuncOptions, ConfiguredOptions {

    /// As it travels. Type names of containerd's own messages do so without the usual prefix.
    Any toAny();
}
