package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.MetricType;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.HugepageSizes;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/// Metrics of huge pages, where the kernel has the controller.
final class HugepageMetrics {

    private HugepageMetrics() {}

    static Stream<MetricFamily> of(Cgroups cgroups) {
        List<String> sizes = cgroups.hasController("hugetlb") ? HugepageSizes.names() : List.of();
        if (sizes.isEmpty()) {
            return Stream.empty();
        }
        MetricFamily usage = family(
                "container_hugetlb_usage_bytes",
                "Bytes of huge pages in use.",
                source -> values(source, sizes, ".usage_in_bytes", ".current"));
        // Version 2 does not remember the most.
        return cgroups.isV2()
                ? Stream.of(usage)
                : Stream.of(
                        usage,
                        family(
                                "container_hugetlb_max_usage_bytes",
                                "The most bytes of huge pages that were in use at a time.",
                                source -> values(source, sizes, ".max_usage_in_bytes", "")));
    }

    private static MetricFamily family(
            String name, String help, Function<MetricSource, List<MetricFamily.Value>> values) {
        return new MetricFamily(name, help, MetricType.GAUGE, List.of("pagesize"), values);
    }

    private static List<MetricFamily.Value> values(MetricSource source, List<String> sizes, String v1, String v2) {
        return sizes.stream()
                .flatMap(size -> {
                    String file = "hugetlb." + size;
                    return MetricFamilies.values(source.number("hugetlb", file + v1, file + v2), size).stream();
                })
                .toList();
    }
}
