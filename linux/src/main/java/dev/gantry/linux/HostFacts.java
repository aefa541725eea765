package dev.gantry.linux;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// What this host and this process can do. Each call asks anew.
public final class HostFacts {

    public static final int CAP_NET_ADMIN = 12;
    public static final int CAP_SYS_ADMIN = 21;
    public static final int CAP_SYS_RESOURCE = 24;

    private HostFacts() {}

    /// Another one after each boot.
    public static String bootId() {
        return required("/proc/sys/kernel/random/boot_id").strip();
    }

    public static KernelVersion kernel() {
        return KernelVersion.parse(required("/proc/sys/kernel/osrelease"));
    }

    /// Whether this process has the capability in its effective set.
    ///
    /// @param capability its number (capabilities(7))
    public static boolean hasCapability(int capability) {
        long effective = Long.parseUnsignedLong(status("CapEff"), 16);
        return (effective >>> capability & 1) == 1;
    }

    public static boolean isRoot() {
        // Real, effective, saved, file system.
        return status("Uid").split("\\s+", -1)[1].equals("0");
    }

    /// Whether the kernel filters system calls for containers.
    public static boolean seccomp() {
        return Files.exists(Path.of("/proc/sys/kernel/seccomp/actions_avail"));
    }

    public static int pid() {
        return (int) ProcessHandle.current().pid();
    }

    static int umask() {
        return Integer.parseInt(status("Umask"), 8);
    }

    private static String status(String field) {
        Optional<String> line = required("/proc/self/status")
                .lines()
                .filter(text -> text.startsWith(field + ":"))
                .findFirst();
        return line.orElseThrow(
                        () -> new ErrnoException("cannot find " + field + " in /proc/self/status", Errno.ENODATA))
                .substring(field.length() + 1)
                .strip();
    }

    private static String required(String file) {
        return KernelFile.read(Path.of(file))
                .orElseThrow(() -> new ErrnoException("cannot read " + file, Errno.ENOENT));
    }
}
