package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.LinuxPodSandboxStats;
import dev.gantry.cri.runtime.v1.PodSandboxAttributes;
import dev.gantry.cri.runtime.v1.PodSandboxStats;
import dev.gantry.cri.runtime.v1.ProcessUsage;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.NetworkDevice;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.storage.Times;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// What a pod uses as a whole: its cgroup, its network namespace, and each of its containers.
///
/// Where the pod's cgroup holds other things too, the figures of its containers and of the pause container are added
/// up.
final class PodStatsReader {

    private final Meters meters;
    private final ContainerStatsReader containerStats;
    private final PodCgroups podCgroups;
    private final Cgroups cgroups;
    private final SandboxPlaces places;
    private final Clock clock;

    PodStatsReader(
            Meters meters,
            ContainerStatsReader containerStats,
            PodCgroups podCgroups,
            Cgroups cgroups,
            SandboxPlaces places,
            Clock clock) {
        this.meters = meters;
        this.containerStats = containerStats;
        this.podCgroups = podCgroups;
        this.cgroups = cgroups;
        this.places = places;
        this.clock = clock;
    }

    static PodSandboxAttributes attributes(Sandbox sandbox) {
        return PodSandboxAttributes.newBuilder()
                .setId(sandbox.id().value())
                .setMetadata(CriSandboxes.metadata(sandbox.config().metadata()))
                .putAllLabels(sandbox.config().labels())
                .putAllAnnotations(sandbox.config().annotations())
                .build();
    }

    /// A pod that is not ready uses nothing, and only its attributes are told.
    ///
    /// @param containers those of the pod
    PodSandboxStats of(Sandbox sandbox, List<Container> containers) {
        PodSandboxStats.Builder stats = PodSandboxStats.newBuilder().setAttributes(attributes(sandbox));
        if (sandbox.state() == SandboxState.READY) {
            List<Container> running = containers.stream()
                    .filter(it -> it.state() == ContainerState.RUNNING)
                    .toList();
            stats.setLinux(figures(sandbox, running));
        }
        return stats.build();
    }

    private LinuxPodSandboxStats figures(Sandbox sandbox, List<Container> running) {
        long now = Times.nanos(clock.instant());
        LinuxPodSandboxStats.Builder stats = LinuxPodSandboxStats.newBuilder();
        Optional<Meter> pod = meters.ofPod(sandbox);
        if (pod.isPresent()) {
            own(pod.get(), now, stats);
        } else {
            sum(sandbox, running, now, stats);
        }
        UsageMessages.network(now, network(sandbox)).ifPresent(stats::setNetwork);
        stats.setProcess(ProcessUsage.newBuilder()
                .setTimestamp(now)
                .setProcessCount(UsageMessages.value(processes(sandbox, running))));
        running.forEach(it -> stats.addContainers(containerStats.of(it)));
        return stats.build();
    }

    private static void own(Meter meter, long now, LinuxPodSandboxStats.Builder stats) {
        CgroupUsage usage = meter.usage();
        usage.cpuNanos()
                .ifPresent(it -> stats.setCpu(UsageMessages.cpu(now, it, meter.rate(it), usage.pressure("cpu"))));
        usage.memory().ifPresent(it -> stats.setMemory(UsageMessages.memory(now, it, usage.pressure("memory"))));
        UsageMessages.io(now, usage.pressure("io")).ifPresent(stats::setIo);
    }

    private void sum(Sandbox sandbox, List<Container> running, long now, LinuxPodSandboxStats.Builder stats) {
        List<Meter> members = new ArrayList<>(List.of(meters.ofPause(sandbox)));
        running.forEach(it -> members.add(meters.of(it)));
        long nanos = 0;
        long rate = 0;
        boolean rateKnown = true;
        for (Meter member : members) {
            OptionalLong used = member.usage().cpuNanos();
            if (used.isPresent()) {
                nanos += used.getAsLong();
                OptionalLong own = member.rate(used.getAsLong());
                rateKnown &= own.isPresent();
                rate += own.orElse(0);
            }
        }
        stats.setCpu(UsageMessages.cpu(
                now, nanos, rateKnown ? OptionalLong.of(rate) : OptionalLong.empty(), Optional.empty()));
        members.stream()
                .flatMap(it -> it.usage().memory().stream())
                .reduce(CgroupUsage.Memory::plus)
                .ifPresent(it -> stats.setMemory(UsageMessages.memory(now, it, Optional.empty())));
    }

    /// Pods in the host's network have none of their own.
    List<NetworkDevice> network(Sandbox sandbox) {
        return sandbox.config().namespaces().hostNetwork() || sandbox.pid() == 0
                ? List.of()
                : NetworkDevice.of(sandbox.pid(), places.networkNamespace(sandbox.id()));
    }

    private long processes(Sandbox sandbox, List<Container> running) {
        long count = cgroups.processesBelow(podCgroups.locationOf(
                        sandbox.cgroupParent(), sandbox.id().value()))
                .size();
        for (Container container : running) {
            count += cgroups.processesBelow(container.cgroupPath()).size();
        }
        return count;
    }
}
