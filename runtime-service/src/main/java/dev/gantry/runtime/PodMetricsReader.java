package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerMetrics;
import dev.gantry.cri.runtime.v1.ListMetricDescriptorsResponse;
import dev.gantry.cri.runtime.v1.PodSandboxMetrics;
import dev.gantry.linux.Cgroups;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.storage.LayerUsages;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.Snapshotters;
import dev.gantry.storage.Times;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What cAdvisor tells of pods and containers, under its names.
final class PodMetricsReader {

    private final Meters meters;
    private final PodStatsReader podStats;
    private final PodCgroups podCgroups;
    private final Cgroups cgroups;
    private final Snapshotters snapshotters;
    private final LayerUsages layers;
    private final Clock clock;
    private final List<MetricFamily> families;
    private final ListMetricDescriptorsResponse descriptors;

    PodMetricsReader(RuntimeServices.Setup setup, Meters meters, PodStatsReader podStats) {
        this.meters = meters;
        this.podStats = podStats;
        this.podCgroups = setup.podCgroups();
        this.cgroups = setup.cgroups();
        this.snapshotters = setup.snapshotters();
        this.layers = setup.layerUsages();
        this.clock = setup.clock();
        this.families = MetricFamilies.of(cgroups);
        this.descriptors = ListMetricDescriptorsResponse.newBuilder()
                .addAllDescriptors(
                        Stream.concat(families.stream().map(MetricFamily::descriptor), NetworkMetrics.descriptors())
                                .toList())
                .build();
    }

    ListMetricDescriptorsResponse descriptors() {
        return descriptors;
    }

    /// Of a pod that is ready.
    ///
    /// @param containers those of the pod
    PodSandboxMetrics of(Sandbox sandbox, List<Container> containers) {
        long now = Times.nanos(clock.instant());
        PodSandboxMetrics.Builder metrics =
                PodSandboxMetrics.newBuilder().setPodSandboxId(sandbox.id().value());
        List<String> labels = labels(sandbox);
        meters.ofPod(sandbox)
                .map(it -> new MetricSource(it.usage(), labels, now, Optional.empty()))
                .ifPresent(source ->
                        families.stream().flatMap(it -> it.read(source)).forEach(metrics::addMetrics));
        NetworkMetrics.read(podStats.network(sandbox), labels, now).forEach(metrics::addMetrics);
        containers.stream()
                .filter(it -> it.state() == ContainerState.RUNNING)
                .map(it -> of(sandbox, it, now))
                .forEach(metrics::addContainerMetrics);
        return metrics.build();
    }

    private ContainerMetrics of(Sandbox sandbox, Container container, long now) {
        Snapshotter snapshotter = snapshotters.get(container.snapshotter());
        MetricSource source = new MetricSource(
                meters.of(container).usage(),
                labels(sandbox, container),
                now,
                Optional.of(new MetricSource.Inside(
                        container,
                        () -> cgroups.processesBelow(container.cgroupPath()),
                        () -> layers.of(snapshotter, container.id()),
                        LayerFileSystem.of(snapshotter))));
        ContainerMetrics.Builder metrics = ContainerMetrics.newBuilder().setContainerId(container.id());
        families.stream().flatMap(it -> it.read(source)).forEach(metrics::addMetrics);
        return metrics.build();
    }

    /// The values of [MetricFamily#BASE_LABELS].
    private List<String> labels(Sandbox sandbox) {
        String id = sandbox.id().value();
        String path =
                podCgroups.locationOfPod(sandbox).orElseGet(() -> podCgroups.locationOf(sandbox.cgroupParent(), id));
        return List.of(
                path,
                id,
                "",
                "",
                sandbox.config().metadata().name(),
                sandbox.config().metadata().namespace());
    }

    private static List<String> labels(Sandbox sandbox, Container container) {
        String wished = container.config().getImage().getUserSpecifiedImage();
        return List.of(
                container.cgroupPath(),
                container.id(),
                wished.isEmpty() ? container.imageRef() : wished,
                container.config().getMetadata().getName(),
                sandbox.config().metadata().name(),
                sandbox.config().metadata().namespace());
    }
}
