package dev.gantry.sandbox;

/// Who makes the cgroups of containers (CRI `CgroupDriver`).
public enum CgroupDriver {
    /// The OCI runtime, by writing to the cgroup file system.
    CGROUPFS,
    /// systemd, asked by the OCI runtime over D-Bus.
    SYSTEMD
}
