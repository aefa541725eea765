package dev.gantry.runtime;

import dev.gantry.linux.Cgroups;
import dev.gantry.linux.HostFacts;
import java.util.BitSet;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/// What the node can do for containers, as far as their specs depend on it.
///
/// @param capability        tells by its number whether the daemon has a capability, and so can give it
/// @param unifiedCgroups    whether limits are those of cgroup v2
/// @param swapAccounting    whether swap can be limited
/// @param cgroupControllers such as `memory`, `hugetlb`
record NodeFeatures(
        IntPredicate capability,
        boolean unifiedCgroups,
        boolean swapAccounting,
        Set<String> cgroupControllers,
        boolean apparmor,
        boolean selinux) {

    NodeFeatures {
        cgroupControllers = Set.copyOf(cgroupControllers);
    }

    static NodeFeatures detect(Cgroups cgroups) {
        boolean unified = Cgroups.version() == Cgroups.Version.V2;
        BitSet capabilities = new BitSet();
        IntStream.range(0, ContainerCapabilities.NAMES.size())
                .filter(HostFacts::hasCapability)
                .forEach(capabilities::set);
        return new NodeFeatures(
                capabilities::get,
                unified,
                swapAccounting(cgroups, unified),
                Set.copyOf(cgroups.controllers()),
                HostFacts.apparmor(),
                HostFacts.selinux());
    }

    /// The root of cgroup v2 has no limits, so there the daemon's own cgroup is asked.
    private static boolean swapAccounting(Cgroups cgroups, boolean unified) {
        return unified
                ? cgroups.read("memory", cgroups.pathOf(HostFacts.pid(), "memory"), "memory.swap.max")
                        .isPresent()
                : cgroups.read("memory", "/", "memory.memsw.limit_in_bytes").isPresent();
    }
}
