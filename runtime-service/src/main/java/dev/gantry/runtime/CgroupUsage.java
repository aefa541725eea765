package dev.gantry.runtime;

import dev.gantry.linux.Cgroups;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// CPU and memory figures of a cgroup, in the same terms for version 1 and 2.
final class CgroupUsage {

    /// The kernel's «no limit» of version 1 is the largest page-aligned number.
    private static final long NO_LIMIT = Long.MAX_VALUE / 4096 * 4096;

    private final Cgroups cgroups;

    CgroupUsage(Cgroups cgroups) {
        this.cgroups = cgroups;
    }

    /// @param workingSet what cannot be reclaimed at once: usage without inactive file pages
    /// @param limit      0 when there is none
    record Memory(long usage, long workingSet, long rss, long limit, long pageFaults, long majorPageFaults) {}

    /// Nanoseconds of CPU time used so far; empty when the cgroup is gone.
    Optional<Long> cpu(String path) {
        if (Cgroups.version() == Cgroups.Version.V1) {
            return cgroups.read("cpuacct", path, "cpuacct.usage").map(it -> Long.parseLong(it.strip()));
        }
        return cgroups.read("cpu", path, "cpu.stat").map(it -> pairs(it).getOrDefault("usage_usec", 0L) * 1000);
    }

    Optional<Memory> memory(String path) {
        return Cgroups.version() == Cgroups.Version.V1 ? memoryV1(path) : memoryV2(path);
    }

    private Optional<Memory> memoryV1(String path) {
        Optional<String> usage = cgroups.read("memory", path, "memory.usage_in_bytes");
        Optional<String> stat = cgroups.read("memory", path, "memory.stat");
        if (usage.isEmpty() || stat.isEmpty()) {
            return Optional.empty();
        }
        long used = Long.parseLong(usage.get().strip());
        Map<String, Long> of = pairs(stat.get());
        return Optional.of(new Memory(
                used,
                Math.max(0, used - of.getOrDefault("total_inactive_file", 0L)),
                of.getOrDefault("total_rss", 0L),
                limit(cgroups.read("memory", path, "memory.limit_in_bytes")),
                of.getOrDefault("total_pgfault", 0L),
                of.getOrDefault("total_pgmajfault", 0L)));
    }

    private Optional<Memory> memoryV2(String path) {
        Optional<String> usage = cgroups.read("memory", path, "memory.current");
        Optional<String> stat = cgroups.read("memory", path, "memory.stat");
        if (usage.isEmpty() || stat.isEmpty()) {
            return Optional.empty();
        }
        long used = Long.parseLong(usage.get().strip());
        Map<String, Long> of = pairs(stat.get());
        return Optional.of(new Memory(
                used,
                Math.max(0, used - of.getOrDefault("inactive_file", 0L)),
                of.getOrDefault("anon", 0L),
                limit(cgroups.read("memory", path, "memory.max")),
                of.getOrDefault("pgfault", 0L),
                of.getOrDefault("pgmajfault", 0L)));
    }

    private static long limit(Optional<String> text) {
        String value = text.map(String::strip).orElse("max");
        if (value.equals("max")) {
            return 0;
        }
        long limit = Long.parseLong(value);
        return limit >= NO_LIMIT ? 0 : limit;
    }

    /// Lines of a name and a number; others are passed over.
    private static Map<String, Long> pairs(String text) {
        Map<String, Long> pairs = new HashMap<>();
        text.lines().forEach(line -> {
            int space = line.indexOf(' ');
            if (space > 0) {
                try {
                    pairs.put(
                            line.substring(0, space),
                            Long.parseLong(line.substring(space + 1).strip()));
                } catch (NumberFormatException _) {
                    // Not a counter.
                }
            }
        });
        return pairs;
    }
}
