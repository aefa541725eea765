package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerAttributes;
import dev.gantry.cri.runtime.v1.ContainerStats;
import dev.gantry.cri.runtime.v1.CpuUsage;
import dev.gantry.cri.runtime.v1.FilesystemIdentifier;
import dev.gantry.cri.runtime.v1.FilesystemUsage;
import dev.gantry.cri.runtime.v1.MemoryUsage;
import dev.gantry.cri.runtime.v1.UInt64Value;
import dev.gantry.linux.Usage;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.Snapshotters;
import dev.gantry.storage.Times;
import java.time.Clock;

/// What a container uses, read from its cgroup and its writable layer; no process is asked.
final class ContainerStatsReader {

    private final CgroupUsage cgroups;
    private final Snapshotters snapshotters;
    private final Clock clock;

    ContainerStatsReader(CgroupUsage cgroups, Snapshotters snapshotters, Clock clock) {
        this.cgroups = cgroups;
        this.snapshotters = snapshotters;
        this.clock = clock;
    }

    ContainerStats of(Container container) {
        ContainerStats.Builder stats = ContainerStats.newBuilder()
                .setAttributes(ContainerAttributes.newBuilder()
                        .setId(container.id())
                        .setMetadata(container.config().getMetadata())
                        .putAllLabels(container.config().getLabelsMap())
                        .putAllAnnotations(container.config().getAnnotationsMap()));
        long now = Times.nanos(clock.instant());
        if (container.state() == ContainerState.RUNNING) {
            cgroups.cpu(container.cgroupPath())
                    .ifPresent(it ->
                            stats.setCpu(CpuUsage.newBuilder().setTimestamp(now).setUsageCoreNanoSeconds(value(it))));
            cgroups.memory(container.cgroupPath()).ifPresent(it -> stats.setMemory(memory(it, now)));
        }
        Snapshotter snapshotter = snapshotters.get(container.snapshotter());
        if (snapshotter.find(container.id()).isPresent()) {
            stats.setWritableLayer(layer(snapshotter, container.id(), now));
        }
        return stats.build();
    }

    private static MemoryUsage memory(CgroupUsage.Memory memory, long now) {
        MemoryUsage.Builder message = MemoryUsage.newBuilder()
                .setTimestamp(now)
                .setUsageBytes(value(memory.usage()))
                .setWorkingSetBytes(value(memory.workingSet()))
                .setRssBytes(value(memory.rss()))
                .setPageFaults(value(memory.pageFaults()))
                .setMajorPageFaults(value(memory.majorPageFaults()));
        if (memory.limit() > 0) {
            message.setAvailableBytes(value(Math.max(0, memory.limit() - memory.workingSet())));
        }
        return message.build();
    }

    private static FilesystemUsage layer(Snapshotter snapshotter, String key, long now) {
        Usage usage = snapshotter.usage(key);
        return FilesystemUsage.newBuilder()
                .setTimestamp(now)
                .setFsId(FilesystemIdentifier.newBuilder()
                        .setMountpoint(snapshotter.root().toString()))
                .setUsedBytes(value(usage.bytes()))
                .setInodesUsed(value(usage.inodes()))
                .build();
    }

    private static UInt64Value value(long value) {
        return UInt64Value.newBuilder().setValue(value).build();
    }
}
