package dev.gantry.linux;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The options of a mount taken apart: flags for the kernel, propagation, and the file system's data.
record MountOptions(long flags, Optional<Propagation> propagation, List<String> data) {

    static final long RDONLY = 1;
    static final long NOSUID = 2;
    static final long NODEV = 4;
    static final long NOEXEC = 8;
    static final long REMOUNT = 32;
    static final long NOATIME = 1024;
    static final long NODIRATIME = 2048;
    static final long BIND = 4096;
    static final long RECURSIVE = 16384;
    static final long RELATIME = 1L << 21;
    static final long STRICTATIME = 1L << 24;

    private static final Map<String, Long> SET = Map.ofEntries(
            Map.entry("ro", RDONLY),
            Map.entry("nosuid", NOSUID),
            Map.entry("nodev", NODEV),
            Map.entry("noexec", NOEXEC),
            Map.entry("sync", 16L),
            Map.entry("remount", REMOUNT),
            Map.entry("mand", 64L),
            Map.entry("dirsync", 128L),
            Map.entry("noatime", NOATIME),
            Map.entry("nodiratime", NODIRATIME),
            Map.entry("bind", BIND),
            Map.entry("rbind", BIND | RECURSIVE),
            Map.entry("relatime", RELATIME),
            Map.entry("strictatime", STRICTATIME));

    private static final Map<String, Long> CLEAR = Map.ofEntries(
            Map.entry("rw", RDONLY),
            Map.entry("suid", NOSUID),
            Map.entry("dev", NODEV),
            Map.entry("exec", NOEXEC),
            Map.entry("async", 16L),
            Map.entry("nomand", 64L),
            Map.entry("atime", NOATIME),
            Map.entry("diratime", NODIRATIME),
            Map.entry("norelatime", RELATIME),
            Map.entry("nostrictatime", STRICTATIME),
            Map.entry("defaults", 0L));

    private static final Map<String, Propagation> PROPAGATION = Map.of(
            "private", Propagation.PRIVATE,
            "rprivate", Propagation.RPRIVATE,
            "shared", Propagation.SHARED,
            "rshared", Propagation.RSHARED,
            "slave", Propagation.SLAVE,
            "rslave", Propagation.RSLAVE,
            "unbindable", Propagation.UNBINDABLE,
            "runbindable", Propagation.RUNBINDABLE);

    static MountOptions parse(List<String> options) {
        long flags = 0;
        Optional<Propagation> propagation = Optional.empty();
        List<String> data = new ArrayList<>();
        for (String option : options) {
            Long set = SET.get(option);
            Long clear = CLEAR.get(option);
            Propagation spread = PROPAGATION.get(option);
            if (set != null) {
                flags |= set;
            } else if (clear != null) {
                flags &= ~clear;
            } else if (spread != null) {
                propagation = Optional.of(spread);
            } else if (!option.isEmpty()) {
                data.add(option);
            }
        }
        return new MountOptions(flags, propagation, data);
    }

    boolean isBind() {
        return (flags & BIND) != 0;
    }
}
