package dev.gantry.linux;

/// How mounts made below a mount travel to its copies (mount_namespaces(7)); the `R` forms speak of
/// all mounts below as well.
public enum Propagation {
    PRIVATE(1L << 18),
    RPRIVATE(1L << 18 | 1L << 14),
    SHARED(1L << 20),
    RSHARED(1L << 20 | 1L << 14),
    SLAVE(1L << 19),
    RSLAVE(1L << 19 | 1L << 14),
    UNBINDABLE(1L << 17),
    RUNBINDABLE(1L << 17 | 1L << 14);

    private final long flags;

    Propagation(long flags) {
        this.flags = flags;
    }

    long flags() {
        return flags;
    }
}
