package dev.gantry.daemon;

import dev.gantry.linux.FileSystems;
import dev.gantry.linux.HostFacts;
import dev.gantry.linux.MountInfo;
import dev.gantry.linux.MountTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/// The machine, as far as it decides whether a daemon can work on it. What it lacks is said at the
/// start, all of it at once and each thing with its mend, instead of at the first pod.
///
/// @param carriesOverlay whether an overlay can be mounted with its layers in that folder
record Host(boolean root, Programs programs, List<MountInfo> mounts, Predicate<Path> carriesOverlay) {

    /// Without these runc makes no container, or one without limits.
    private static final List<String> CONTROLLERS =
            List.of("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids");

    static Host current() {
        return new Host(HostFacts.isRoot(), Programs.ofEnvironment(), MountTable.read(), FileSystems::supportsOverlay);
    }

    /// What cannot be done here although it is configured, and need not stop the daemon.
    ///
    /// To be called when the root directory is there.
    ///
    /// @throws DaemonException.UnfitHost with everything that is missing
    List<String> check(Configuration configuration) {
        List<String> lacks = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        String needed = configuration.runtime().defaultHandler();
        new TreeMap<>(configuration.runtime().handlers())
                .forEach((name, handler) -> checkPrograms(name, handler, name.equals(needed) ? lacks : warnings));
        checkCgroups(lacks);
        checkOverlay(configuration, lacks);
        if (!lacks.isEmpty()) {
            throw new DaemonException.UnfitHost(lacks);
        }
        return warnings;
    }

    /// Apart from the rest, since nothing else can be found out without it.
    void requireRoot() {
        if (!root) {
            throw new DaemonException.UnfitHost(List.of("needs root: namespaces and mounts cannot be made without"));
        }
    }

    private void checkPrograms(String name, HandlerSettings handler, List<String> lacks) {
        String key = "runtime.handlers." + name;
        checkProgram(handler.shim(), key + ".shim", "it", lacks);
        if (!handler.binary().isEmpty()) {
            checkProgram(handler.binary(), key + ".binary", "runc", lacks);
        }
    }

    private void checkProgram(String program, String key, String remedy, List<String> lacks) {
        if (programs.find(program).isEmpty()) {
            lacks.add(
                    program.startsWith("/")
                            ? "finds no program at %s: correct %s".formatted(program, key)
                            : "finds no %s in PATH: install %s, or name its path in %s"
                                    .formatted(program, remedy, key));
        }
    }

    private void checkCgroups(List<String> lacks) {
        if (mounts.stream().anyMatch(mount -> mount.type().equals("cgroup2") && isUnder(mount, "/sys/fs/cgroup"))) {
            return;
        }
        Set<String> mounted = new TreeSet<>();
        mounts.stream()
                .filter(mount -> mount.type().equals("cgroup"))
                .forEach(mount -> mounted.addAll(List.of(mount.superOptions().split(",", -1))));
        List<String> missing =
                CONTROLLERS.stream().filter(name -> !mounted.contains(name)).toList();
        if (missing.size() == CONTROLLERS.size()) {
            lacks.add("finds no cgroups: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
        } else if (!missing.isEmpty()) {
            lacks.add("finds no cgroup controller " + String.join(", ", missing)
                    + ": mount each, or boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1)");
        }
    }

    private static boolean isUnder(MountInfo mount, String target) {
        return mount.target().equals(Path.of(target));
    }

    private void checkOverlay(Configuration configuration, List<String> lacks) {
        boolean wanted = configuration.storage().snapshotter().equals("overlayfs")
                || configuration.runtime().handlers().values().stream()
                        .anyMatch(handler -> handler.snapshotter().equals("overlayfs"));
        if (wanted && !carriesOverlay.test(configuration.root())) {
            lacks.add(("cannot mount an overlay in %s: load the kernel module (modprobe overlay), choose a root on"
                            + " another file system, or set storage.snapshotter = \"native\"")
                    .formatted(configuration.root()));
        }
    }
}
