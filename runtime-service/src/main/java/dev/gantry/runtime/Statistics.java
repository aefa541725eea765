package dev.gantry.runtime;

import dev.gantry.sandbox.Sandboxes;

/// What tells how much is used, put together.
final class Statistics implements AutoCloseable {

    private final Meters meters;
    private final ContainerStatsReader containers;
    private final PodStatsReader pods;
    private final PodMetricsReader metrics;

    Statistics(RuntimeServices.Setup setup, Sandboxes sandboxes, Containers containers) {
        this.meters = new Meters(setup.cgroups(), setup.podCgroups(), sandboxes::list, containers::list, setup.clock());
        this.containers = new ContainerStatsReader(meters, setup.snapshotters(), setup.layerUsages(), setup.clock());
        this.pods = new PodStatsReader(
                meters, this.containers, setup.podCgroups(), setup.cgroups(), setup.places(), setup.clock());
        this.metrics = new PodMetricsReader(setup, meters, pods);
    }

    ContainerStatsReader containers() {
        return containers;
    }

    PodStatsReader pods() {
        return pods;
    }

    PodMetricsReader metrics() {
        return metrics;
    }

    /// Begins to take samples.
    void start() {
        meters.start();
    }

    @Override
    public void close() {
        meters.close();
    }
}
