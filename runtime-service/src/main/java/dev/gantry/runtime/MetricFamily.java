package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.Metric;
import dev.gantry.cri.runtime.v1.MetricDescriptor;
import dev.gantry.cri.runtime.v1.MetricType;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;

/// A metric by its name, as cAdvisor has it: what is announced of it and how its values are read.
///
/// @param labels those beside [#BASE_LABELS]
/// @param values all that the kernel tells now; none where it does not know
record MetricFamily(
        String name, String help, MetricType type, List<String> labels, Function<MetricSource, List<Value>> values) {

    /// The labels of every metric: the cgroup, the id of the container or sandbox, its image, and the names that
    /// Kubernetes knows them by. A pod's own metrics have no container and no image.
    static final List<String> BASE_LABELS = List.of("id", "name", "image", "container", "pod", "namespace");

    /// @param labels the values of the family's own labels
    record Value(long value, List<String> labels) {}

    static MetricFamily counter(String name, String help, Function<MetricSource, OptionalLong> value) {
        return new MetricFamily(name, help, MetricType.COUNTER, List.of(), single(value));
    }

    static MetricFamily gauge(String name, String help, Function<MetricSource, OptionalLong> value) {
        return new MetricFamily(name, help, MetricType.GAUGE, List.of(), single(value));
    }

    private static Function<MetricSource, List<Value>> single(Function<MetricSource, OptionalLong> value) {
        return source -> {
            OptionalLong known = value.apply(source);
            return known.isPresent() ? List.of(new Value(known.getAsLong(), List.of())) : List.of();
        };
    }

    MetricDescriptor descriptor() {
        return MetricDescriptor.newBuilder()
                .setName(name)
                .setHelp(help)
                .addAllLabelKeys(BASE_LABELS)
                .addAllLabelKeys(labels)
                .build();
    }

    Stream<Metric> read(MetricSource source) {
        return values.apply(source).stream()
                .map(it -> Metric.newBuilder()
                        .setName(name)
                        .setTimestamp(source.now())
                        .setMetricType(type)
                        .addAllLabelValues(source.labels())
                        .addAllLabelValues(it.labels())
                        .setValue(UsageMessages.value(it.value()))
                        .build());
    }
}
