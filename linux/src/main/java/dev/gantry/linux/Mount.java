package dev.gantry.linux;

import java.nio.file.Path;
import java.util.List;

/// A mount to be made, as fstab and the OCI specification write it.
///
/// Example: `new Mount("overlay", "overlay", Path.of(""), List.of("lowerdir=/a:/b", "ro"))`.
///
/// @param target where it goes; empty when only the one who mounts knows (the mounts of a snapshot)
/// @param options flags such as `ro`, `nosuid`, `rbind`, `rslave`, and data for the file system
public record Mount(String type, String source, Path target, List<String> options) {

    public Mount {
        options = List.copyOf(options);
    }
}
