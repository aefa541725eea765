package dev.gantry.runtime;

import java.time.Duration;
import java.util.OptionalLong;

/// The figures of one cgroup, over time. Thread-safe.
final class Meter implements AutoCloseable {

    private final CgroupUsage usage;
    private final CpuWindow window = new CpuWindow();

    Meter(CgroupUsage usage) {
        this.usage = usage;
    }

    /// The meter of a group that began to use CPU time a short while ago.
    static Meter since(Duration age, CgroupUsage usage) {
        Meter meter = new Meter(usage);
        meter.window.add(System.nanoTime() - age.toNanos(), 0);
        return meter;
    }

    CgroupUsage usage() {
        return usage;
    }

    /// Takes a sample for later.
    void sample() {
        usage.cpuNanos().ifPresent(it -> window.add(System.nanoTime(), it));
    }

    /// The rate that goes with a figure that was just read.
    OptionalLong rate(long cpuNanos) {
        return window.rate(System.nanoTime(), cpuNanos);
    }

    @Override
    public void close() {
        usage.close();
    }
}
