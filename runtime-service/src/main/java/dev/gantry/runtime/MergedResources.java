package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.HugepageLimit;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import java.util.LinkedHashMap;
import java.util.Map;

/// The limits that hold after an update: 0 and empty in the update mean that a limit stays as it is.
final class MergedResources {

    private MergedResources() {}

    static LinuxContainerResources of(LinuxContainerResources present, LinuxContainerResources change) {
        LinuxContainerResources.Builder merged = present.toBuilder();
        change.getAllFields().forEach((field, value) -> {
            if (!field.isRepeated()) {
                merged.setField(field, value);
            }
        });
        return merged.clearHugepageLimits()
                .addAllHugepageLimits(hugepages(present, change).values())
                .putAllUnified(change.getUnifiedMap())
                .build();
    }

    /// One limit for each page size, the later one.
    private static Map<String, HugepageLimit> hugepages(
            LinuxContainerResources present, LinuxContainerResources change) {
        Map<String, HugepageLimit> limits = new LinkedHashMap<>();
        present.getHugepageLimitsList().forEach(it -> limits.put(it.getPageSize(), it));
        change.getHugepageLimitsList().forEach(it -> limits.put(it.getPageSize(), it));
        return limits;
    }
}
