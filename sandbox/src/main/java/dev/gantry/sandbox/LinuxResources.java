package dev.gantry.sandbox;

import java.util.List;
import java.util.Map;

/// Limits of a pod or container (CRI `LinuxContainerResources`); 0 and empty mean «not said».
///
/// Periods and quotas are in microseconds, memory in bytes.
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

    /// How much of one page size may be used; the size is written as the kernel does, `2MB`.
    public record HugepageLimit(String pageSize, long limit) {}

    public LinuxResources {
        hugepages = List.copyOf(hugepages);
        unified = Map.copyOf(unified);
    }
}
