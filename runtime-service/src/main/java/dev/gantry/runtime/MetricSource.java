package dev.gantry.runtime;

import dev.gantry.linux.KernelText;
import dev.gantry.linux.Pressure;
import dev.gantry.linux.ProcessCounts;
import dev.gantry.linux.TaskStates;
import dev.gantry.storage.LayerUsages;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What the metrics of one cgroup are read from. Each file is read once however many metrics it holds. For one thread,
/// and for one scrape.
final class MetricSource {

    private final CgroupUsage usage;
    private final List<String> labels;
    private final long now;
    private final Optional<Inside> inside;
    private final Map<String, Optional<KernelText>> texts = new HashMap<>();
    private final Map<String, Optional<Pressure>> pressures = new HashMap<>();
    private Optional<CgroupUsage.Memory> memory = Optional.empty();
    private @Nullable List<Integer> pids;
    private @Nullable ProcessCounts counts;

    /// What only a container has.
    ///
    /// @param processes those of it and its kin
    record Inside(
            Container container,
            Supplier<List<Integer>> processes,
            Supplier<Optional<LayerUsages.Counted>> layer,
            LayerFileSystem fileSystem) {}

    /// @param labels the values of [MetricFamily#BASE_LABELS]
    /// @param now    nanoseconds since 1970
    MetricSource(CgroupUsage usage, List<String> labels, long now, Optional<Inside> inside) {
        this.usage = usage;
        this.labels = labels;
        this.now = now;
        this.inside = inside;
    }

    List<String> labels() {
        return labels;
    }

    long now() {
        return now;
    }

    boolean isV2() {
        return usage.isV2();
    }

    Optional<Inside> inside() {
        return inside;
    }

    OptionalLong cpuNanos() {
        return usage.cpuNanos();
    }

    Optional<KernelText> text(String controller, String file) {
        return texts.computeIfAbsent(file, _ -> usage.group().read(controller, file));
    }

    /// The number in a file of version 1 or 2; no name means that this version has none.
    OptionalLong number(String controller, String v1, String v2) {
        String file = isV2() ? v2 : v1;
        Optional<KernelText> text = file.isEmpty() ? Optional.empty() : text(controller, file);
        return text.isPresent() ? OptionalLong.of(text.get().number()) : OptionalLong.empty();
    }

    /// One of the counters of a file.
    OptionalLong counter(String controller, String file, String name) {
        long value = text(controller, file)
                .map(it -> it.counters(KernelText.Names.of(List.of(name)))[0])
                .orElse(-1L);
        return value < 0 ? OptionalLong.empty() : OptionalLong.of(value);
    }

    OptionalLong memory(Function<CgroupUsage.Memory, Long> figure) {
        if (memory.isEmpty()) {
            memory = usage.memory();
        }
        long value = memory.map(figure).orElse(-1L);
        return value < 0 ? OptionalLong.empty() : OptionalLong.of(value);
    }

    /// Whole seconds that tasks waited for a resource.
    OptionalLong pressureSeconds(String resource, Function<Pressure, Optional<Pressure.Stall>> which) {
        return pressures
                .computeIfAbsent(resource, usage::pressure)
                .flatMap(which)
                .map(it -> OptionalLong.of(it.totalMicros() / 1_000_000))
                .orElse(OptionalLong.empty());
    }

    Optional<ProcessCounts> processes() {
        return inside.map(it -> {
            if (counts == null) {
                counts = ProcessCounts.of(pids(it));
            }
            return counts;
        });
    }

    Optional<TaskStates> tasks() {
        return inside.flatMap(it -> TaskStates.of(pids(it)));
    }

    private List<Integer> pids(Inside inside) {
        if (pids == null) {
            pids = inside.processes().get();
        }
        return pids;
    }
}
