package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.MetricType;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.HugepageSizes;
import java.util.List;
import java.util.OptionalLong;
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
                MetricType.GAUGE,
                source -> values(sizes, it -> source.number("hugetlb", it + ".usage_in_bytes", it + ".current")));
        MetricFamily failures = family(
                "container_hugetlb_failcnt",
                "How often the limit of huge pages was reached.",
                MetricType.COUNTER,
                source -> values(
                        sizes,
                        it -> source.isV2()
                                ? source.counter("hugetlb", it + ".events", "max")
                                : source.number("hugetlb", it + ".failcnt", "")));
        // Version 2 does not remember the most.
        return cgroups.isV2()
                ? Stream.of(usage, failures)
                : Stream.of(
                        usage,
                        failures,
                        family(
                                "container_hugetlb_max_usage_bytes",
                                "The most bytes of huge pages that were in use at a time.",
                                MetricType.GAUGE,
                                source ->
                                        values(sizes, it -> source.number("hugetlb", it + ".max_usage_in_bytes", ""))));
    }

    private static MetricFamily family(
            String name, String help, MetricType type, Function<MetricSource, List<MetricFamily.Value>> values) {
        return new MetricFamily(name, help, type, List.of("pagesize"), values);
    }

    /// What `figure` makes of the first part of the file names for each size.
    private static List<MetricFamily.Value> values(List<String> sizes, Function<String, OptionalLong> figure) {
        return sizes.stream()
                .flatMap(size -> MetricFamilies.values(figure.apply("hugetlb." + size), size).stream())
                .toList();
    }
}
