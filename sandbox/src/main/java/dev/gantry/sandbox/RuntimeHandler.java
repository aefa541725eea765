package dev.gantry.sandbox;

import dev.gantry.shim.RuncOptions;
import dev.gantry.shim.ShimBinary;
import java.util.List;

/// One way to run pods: which shim, which OCI runtime, which snapshotter (CRI `runtime_handler`).
///
/// @param annotations globs of the pod annotations that may reach the OCI runtime; everything else stays out
public record RuntimeHandler(
        String name, ShimBinary shim, RuncOptions options, String snapshotter, List<String> annotations) {

    public RuntimeHandler {
        annotations = List.copyOf(annotations);
    }
}
