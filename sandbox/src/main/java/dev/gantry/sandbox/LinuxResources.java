package dev.gantry.sandbox;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.regex.Pattern;

/// Limits of a pod or container (CRI `LinuxContainerResources`); 0 and empty mean «not said», -1 «unlimited».
///
/// Periods and quotas are in microseconds, memory in bytes; swap counts memory too.
public record LinuxResources(
        long cpuPeriod,
        long cpuQuota,
        long cpuShares,
        long memoryLimit,
        long memorySwapLimit,
        long oomScoreAdjust,
        String cpusetCpus,
        String cpusetMems,
        List<HugepageLimit> hugepages,
        Map<String, String> unified) {

    private static final Pattern CPU_LIST = Pattern.compile("([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?");
    private static final Pattern UNIFIED_KEY = Pattern.compile("[a-z0-9_]+(\\.[A-Za-z0-9_-]+)+");
    private static final long DEFAULT_PERIOD = 100_000;
    private static final long UNLIMITED = -1;

    /// Below what it is checked with.
    static final LinuxResources NONE = new LinuxResources(0, 0, 0, 0, 0, 0, "", "", List.of(), Map.of());

    /// How much of one page size may be used; the size is written as the kernel does, `2MB`.
    public record HugepageLimit(String pageSize, long limit) {

        private static final Pattern PAGE_SIZE = Pattern.compile("[1-9][0-9]*(KB|MB|GB)");

        public HugepageLimit {
            check(PAGE_SIZE.matcher(pageSize).matches(), "huge page size", pageSize);
        }
    }

    public LinuxResources {
        hugepages = List.copyOf(hugepages);
        unified = Map.copyOf(unified);
        check(cpuPeriod >= 0, "cpu period", cpuPeriod);
        check(cpuQuota >= UNLIMITED, "cpu quota", cpuQuota);
        check(cpuShares >= 0, "cpu shares", cpuShares);
        check(memoryLimit >= UNLIMITED, "memory limit", memoryLimit);
        check(memorySwapLimit >= UNLIMITED, "memory swap limit", memorySwapLimit);
        check(CPU_LIST.matcher(cpusetCpus).matches(), "list of processors", cpusetCpus);
        check(CPU_LIST.matcher(cpusetMems).matches(), "list of memory nodes", cpusetMems);
        unified.forEach((key, value) ->
                check(UNIFIED_KEY.matcher(key).matches() && value.indexOf('\0') < 0, "name of a cgroup file", key));
    }

    private static void check(boolean well, String what, Object value) {
        if (!well) {
            throw new SandboxException.InvalidRequest("resources of a pod: \"%s\" is no %s".formatted(value, what));
        }
    }

    /// What holds after an update that leaves out what it does not change.
    LinuxResources updated(LinuxResources change) {
        Map<String, String> files = new LinkedHashMap<>(unified);
        files.putAll(change.unified);
        return new LinuxResources(
                or(change.cpuPeriod, cpuPeriod),
                or(change.cpuQuota, cpuQuota),
                or(change.cpuShares, cpuShares),
                or(change.memoryLimit, memoryLimit),
                or(change.memorySwapLimit, memorySwapLimit),
                or(change.oomScoreAdjust, oomScoreAdjust),
                change.cpusetCpus.isEmpty() ? cpusetCpus : change.cpusetCpus,
                change.cpusetMems.isEmpty() ? cpusetMems : change.cpusetMems,
                hugepages(change.hugepages, (_, later) -> later),
                files);
    }

    /// The limits of a whole pod: these of its containers, and what running it costs on top. A limit that the
    /// containers do not have does not come into being by the overhead.
    LinuxResources plus(LinuxResources overhead) {
        long period = cpuPeriod == 0 ? DEFAULT_PERIOD : cpuPeriod;
        long overheadPeriod = overhead.cpuPeriod == 0 ? DEFAULT_PERIOD : overhead.cpuPeriod;
        return new LinuxResources(
                cpuPeriod,
                plus(cpuQuota, Math.multiplyExact(Math.max(0, overhead.cpuQuota), period) / overheadPeriod),
                plus(cpuShares, overhead.cpuShares),
                plus(memoryLimit, overhead.memoryLimit),
                plus(memorySwapLimit, overhead.memoryLimit),
                oomScoreAdjust,
                cpusetCpus,
                cpusetMems,
                hugepages(
                        overhead.hugepages.stream()
                                .filter(it -> hugepages.stream()
                                        .anyMatch(own -> own.pageSize().equals(it.pageSize())))
                                .toList(),
                        Math::addExact),
                unified);
    }

    private static long or(long change, long present) {
        return change == 0 ? present : change;
    }

    private static long plus(long limit, long overhead) {
        return limit > 0 ? Math.addExact(limit, Math.max(0, overhead)) : limit;
    }

    private List<HugepageLimit> hugepages(List<HugepageLimit> others, BinaryOperator<Long> together) {
        Map<String, Long> limits = new LinkedHashMap<>();
        hugepages.forEach(it -> limits.put(it.pageSize(), it.limit()));
        others.forEach(it -> limits.merge(it.pageSize(), it.limit(), together));
        List<HugepageLimit> all = new ArrayList<>();
        limits.forEach((size, limit) -> all.add(new HugepageLimit(size, limit)));
        return all;
    }
}
