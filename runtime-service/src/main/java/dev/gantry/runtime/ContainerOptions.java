package dev.gantry.runtime;

import dev.gantry.cri.oci.OciProcess;
import java.nio.file.Path;
import java.util.List;

/// What the configuration says about all containers.
///
/// @param imageVolumes    whether the volumes that images declare are made
/// @param deviceOwnership whether devices belong to the user and group that the request names
/// @param cdiDirectories  in ascending order of precedence; none for no CDI devices
/// @param rlimits         of every container's first process, and what it starts
public record ContainerOptions(
        boolean imageVolumes, boolean deviceOwnership, List<Path> cdiDirectories, List<OciProcess.Rlimit> rlimits) {

    /// As the default configuration has it.
    public static final ContainerOptions DEFAULT =
            new ContainerOptions(true, false, List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi")), List.of());

    public ContainerOptions {
        cdiDirectories = List.copyOf(cdiDirectories);
        rlimits = List.copyOf(rlimits);
    }
}
