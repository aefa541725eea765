package dev.gantry.sandbox;

import dev.gantry.cri.oci.Spec;
import dev.gantry.shim.RuncOptions;
import dev.gantry.shim.ShimBinary;
import dev.gantry.shim.ShimOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// One way to run pods: which shim, which OCI runtime, which snapshotter (CRI `runtime_handler`).
///
/// @param podAnnotations globs of the pod's annotations that may reach the OCI runtime; everything else stays out
/// @param containerAnnotations the same for those of containers
/// @param baseSpec what the specs of containers start from
/// @param hostDevices whether privileged containers have the host's devices
/// @param writableCgroup whether containers may divide their own cgroup, where it is one of version 2
public record RuntimeHandler(
        String name,
        ShimBinary shim,
        ShimOptions options,
        String snapshotter,
        List<String> podAnnotations,
        List<String> containerAnnotations,
        Optional<Spec> baseSpec,
        boolean hostDevices,
        boolean writableCgroup) {

    public RuntimeHandler {
        podAnnotations = List.copyOf(podAnnotations);
        containerAnnotations = List.copyOf(containerAnnotations);
    }

    /// Without anything special.
    public RuntimeHandler(String name, ShimBinary shim, ShimOptions options, String snapshotter) {
        this(name, shim, options, snapshotter, List.of(), List.of(), Optional.empty(), true, false);
    }

    /// The program that the shim calls; empty for one that calls none.
    public Optional<Path> ociRuntime() {
        return options instanceof RuncOptions runc ? Optional.of(runc.binary()) : Optional.empty();
    }
}
