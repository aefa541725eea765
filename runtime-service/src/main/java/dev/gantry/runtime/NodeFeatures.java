package dev.gantry.runtime;

import dev.gantry.linux.Cgroups;
import dev.gantry.linux.HostFacts;
import java.nio.file.Files;
import java.nio.file.Path;
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
        IntPredicate capability, boolean unifiedCgroups, boolean swapAccounting, Set<String> cgroupControllers) {

    private static final Path ROOT_SWAP_LIMIT = Path.of("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");

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
                capabilities::get, unified, swapAccounting(cgroups, unified), Set.copyOf(cgroups.controllers()));
    }

    /// The daemon's own cgroup has the limit's file where swap is counted. A daemon in the root, which on cgroup v2 has
    /// no limits at all, may take it for counted there: runc overlooks the missing file.
    private static boolean swapAccounting(Cgroups cgroups, boolean unified) {
        String own = cgroups.pathOf(HostFacts.pid(), "memory");
        if (own.equals("/")) {
            return unified || Files.exists(ROOT_SWAP_LIMIT);
        }
        String file = unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
        return cgroups.read("memory", own, file).isPresent();
    }
}
