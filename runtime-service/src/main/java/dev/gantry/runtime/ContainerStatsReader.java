package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerAttributes;
import dev.gantry.cri.runtime.v1.ContainerStats;
import dev.gantry.cri.runtime.v1.FilesystemIdentifier;
import dev.gantry.cri.runtime.v1.FilesystemUsage;
import dev.gantry.storage.LayerUsages;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.Snapshotters;
import dev.gantry.storage.Times;
import java.time.Clock;
import java.util.Optional;
import java.util.OptionalLong;

/// What a container uses, read from its cgroup and its writable layer; no process is asked.
final class ContainerStatsReader {

    private final Meters meters;
    private final Snapshotters snapshotters;
    private final LayerUsages layers;
    private final Clock clock;

    ContainerStatsReader(Meters meters, Snapshotters snapshotters, LayerUsages layers, Clock clock) {
        this.meters = meters;
        this.snapshotters = snapshotters;
        this.layers = layers;
        this.clock = clock;
    }

    ContainerStats of(Container container) {
        return figures(container).toBuilder()
                .setAttributes(attributes(container))
                .build();
    }

    static ContainerAttributes attributes(Container container) {
        return ContainerAttributes.newBuilder()
                .setId(container.id())
                .setMetadata(container.config().getMetadata())
                .putAllLabels(container.config().getLabelsMap())
                .putAllAnnotations(container.config().getAnnotationsMap())
                .build();
    }

    /// Everything but the attributes, which do not change.
    ContainerStats figures(Container container) {
        long now = Times.nanos(clock.instant());
        ContainerStats.Builder stats = ContainerStats.newBuilder();
        if (container.state() == ContainerState.RUNNING) {
            Meter meter = meters.of(container);
            CgroupUsage usage = meter.usage();
            OptionalLong cpu = usage.cpuNanos();
            cpu.ifPresent(it -> stats.setCpu(UsageMessages.cpu(now, it, meter.rate(it), usage.pressure("cpu"))));
            usage.memory().ifPresent(it -> {
                stats.setMemory(UsageMessages.memory(now, it, usage.pressure("memory")));
                UsageMessages.swap(now, it).ifPresent(stats::setSwap);
            });
            UsageMessages.io(now, usage.pressure("io")).ifPresent(stats::setIo);
        }
        layer(container).ifPresent(stats::setWritableLayer);
        return stats.build();
    }

    Optional<FilesystemUsage> layer(Container container) {
        Snapshotter snapshotter = snapshotters.get(container.snapshotter());
        return layers.of(snapshotter, container.id())
                .map(it -> FilesystemUsage.newBuilder()
                        .setTimestamp(Times.nanos(it.at()))
                        .setFsId(FilesystemIdentifier.newBuilder()
                                .setMountpoint(snapshotter.root().toString()))
                        .setUsedBytes(UsageMessages.value(it.usage().bytes()))
                        .setInodesUsed(UsageMessages.value(it.usage().inodes()))
                        .build());
    }
}
