package dev.gantry.runtime;

import dev.gantry.linux.Cgroups;
import java.util.Optional;

/// Tells from a container's memory cgroup whether the kernel killed something in it for want of memory.
///
/// The cgroup is there until the shim deletes the container, so this is asked before; an event that got lost does not
/// matter then.
final class OomKills {

    private final Cgroups cgroups;

    OomKills(Cgroups cgroups) {
        this.cgroups = cgroups;
    }

    boolean happened(Container container) {
        String path = container.cgroupPath();
        Optional<String> counters = Cgroups.version() == Cgroups.Version.V2
                ? cgroups.read("memory", path, "memory.events")
                : cgroups.read("memory", path, "memory.oom_control");
        return counters.stream()
                .flatMap(String::lines)
                .filter(line -> line.startsWith("oom_kill "))
                .anyMatch(line -> !line.equals("oom_kill 0"));
    }
}
