package dev.gantry.runtime;

import dev.gantry.linux.KernelText;
import dev.gantry.linux.OpenCgroup;
import dev.gantry.linux.Pressure;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// What a cgroup uses, in the same terms for version 1 and 2. What the kernel does not tell is not there.
/// Thread-safe.
final class CgroupUsage implements AutoCloseable {

    /// The kernel's «no limit» of version 1 is the largest page-aligned number.
    static final long NO_LIMIT = Long.MAX_VALUE / 4096 * 4096;

    private static final KernelText.Names MEMORY_V1 = KernelText.Names.of(List.of(
            "total_inactive_file",
            "total_active_file",
            "total_rss",
            "total_cache",
            "total_mapped_file",
            "total_pgfault",
            "total_pgmajfault",
            "total_swap"));
    private static final KernelText.Names MEMORY_V2 = KernelText.Names.of(
            List.of("inactive_file", "active_file", "anon", "file", "file_mapped", "pgfault", "pgmajfault", "kernel"));
    private static final KernelText.Names CPU_V2 = KernelText.Names.of(List.of("usage_usec"));

    private final OpenCgroup group;
    private final boolean v2;

    CgroupUsage(OpenCgroup group, boolean v2) {
        this.group = group;
        this.v2 = v2;
    }

    /// Bytes, and numbers of page faults. -1 where the kernel does not say.
    ///
    /// @param limit      of the group itself; empty when there is none
    /// @param swapLimit  how much may be swapped out; empty when there is no limit
    /// @param swap       empty where swap is not accounted
    record Memory(
            long usage,
            OptionalLong limit,
            long inactiveFile,
            long activeFile,
            long rss,
            long cache,
            long mappedFile,
            long pageFaults,
            long majorPageFaults,
            OptionalLong swap,
            OptionalLong swapLimit) {

        /// What cannot be reclaimed at once: usage without inactive file pages.
        long workingSet() {
            return Math.max(0, usage - Math.max(0, inactiveFile));
        }

        /// The two together, as if one group held both; limits do not add up.
        Memory plus(Memory other) {
            return new Memory(
                    usage + other.usage,
                    OptionalLong.empty(),
                    inactiveFile + other.inactiveFile,
                    activeFile + other.activeFile,
                    rss + other.rss,
                    cache + other.cache,
                    mappedFile + other.mappedFile,
                    pageFaults + other.pageFaults,
                    majorPageFaults + other.majorPageFaults,
                    swap.isPresent() && other.swap.isPresent()
                            ? OptionalLong.of(swap.getAsLong() + other.swap.getAsLong())
                            : OptionalLong.empty(),
                    OptionalLong.empty());
        }
    }

    boolean isV2() {
        return v2;
    }

    OpenCgroup group() {
        return group;
    }

    /// Nanoseconds of CPU time used so far; empty when the cgroup is gone.
    OptionalLong cpuNanos() {
        if (!v2) {
            return number("cpuacct", "cpuacct.usage");
        }
        return group.read("cpu", "cpu.stat")
                .map(it -> it.counters(CPU_V2)[0])
                .filter(it -> it >= 0)
                .map(it -> OptionalLong.of(it * 1000))
                .orElse(OptionalLong.empty());
    }

    Optional<Memory> memory() {
        OptionalLong usage = number("memory", v2 ? "memory.current" : "memory.usage_in_bytes");
        Optional<KernelText> stat = group.read("memory", "memory.stat");
        if (usage.isEmpty() || stat.isEmpty()) {
            return Optional.empty();
        }
        long[] of = stat.get().counters(v2 ? MEMORY_V2 : MEMORY_V1);
        OptionalLong limit = limit(v2 ? "memory.max" : "memory.limit_in_bytes");
        OptionalLong swap;
        OptionalLong swapLimit;
        if (v2) {
            swap = number("memory", "memory.swap.current");
            swapLimit = limit("memory.swap.max");
        } else {
            // Version 1 limits memory and swap together.
            boolean accounted =
                    group.read("memory", "memory.memsw.limit_in_bytes").isPresent();
            OptionalLong both = limit("memory.memsw.limit_in_bytes");
            swap = accounted && of[7] >= 0 ? OptionalLong.of(of[7]) : OptionalLong.empty();
            swapLimit = both.isPresent() && limit.isPresent()
                    ? OptionalLong.of(Math.max(0, both.getAsLong() - limit.getAsLong()))
                    : OptionalLong.empty();
        }
        return Optional.of(
                new Memory(usage.getAsLong(), limit, of[0], of[1], of[2], of[3], of[4], of[5], of[6], swap, swapLimit));
    }

    /// How long the group's tasks waited for `cpu`, `memory` or `io`; version 1 does not know.
    Optional<Pressure> pressure(String resource) {
        return v2 ? group.read(resource, resource + ".pressure").map(Pressure::parse) : Optional.empty();
    }

    /// A file with one number.
    OptionalLong number(String controller, String file) {
        Optional<KernelText> text = group.read(controller, file);
        return text.isPresent() ? OptionalLong.of(text.get().number()) : OptionalLong.empty();
    }

    private OptionalLong limit(String file) {
        OptionalLong limit = number("memory", file);
        return limit.isPresent() && limit.getAsLong() < NO_LIMIT ? limit : OptionalLong.empty();
    }

    @Override
    public void close() {
        group.close();
    }
}
