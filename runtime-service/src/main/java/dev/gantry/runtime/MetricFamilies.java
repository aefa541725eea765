package dev.gantry.runtime;

import static dev.gantry.runtime.MetricFamily.counter;
import static dev.gantry.runtime.MetricFamily.gauge;

import dev.gantry.cri.runtime.v1.MetricType;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.KernelText;
import dev.gantry.linux.Pressure;
import dev.gantry.linux.ProcessCounts;
import dev.gantry.linux.TaskStates;
import dev.gantry.sandbox.CpuShares;
import dev.gantry.storage.LayerUsages;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;

/// The metrics of containers and of pods as wholes that this kernel can tell. Network and disk input and output have
/// labels of their own: [NetworkMetrics], [DiskMetrics].
///
/// Names and labels are those of cAdvisor, which dashboards know. The CRI has whole numbers only, so seconds are cut.
final class MetricFamilies {

    private static final long NANOS = 1_000_000_000;
    private static final long MICROS = 1_000_000;

    private MetricFamilies() {}

    /// What is announced and told on this host. It does not change while the daemon runs, as the kubelet demands.
    static List<MetricFamily> of(Cgroups cgroups) {
        Stream<MetricFamily> pressure = cgroups.isV2() && hasPressure(cgroups) ? pressure() : Stream.empty();
        return Stream.of(
                        cpu(),
                        memory(),
                        faults(),
                        pressure,
                        HugepageMetrics.of(cgroups),
                        fileSystem(),
                        DiskMetrics.of(cgroups),
                        processes(),
                        life(),
                        limits())
                .flatMap(Function.identity())
                .toList();
    }

    /// The kernel may have been started without it.
    private static boolean hasPressure(Cgroups cgroups) {
        return cgroups.read("cpu", "/", "cpu.pressure").isPresent()
                || cgroups.read("memory", "/", "memory.pressure").isPresent();
    }

    private static Stream<MetricFamily> cpu() {
        return Stream.of(
                counter(
                        "container_cpu_user_seconds_total",
                        "CPU time spent in user mode, in seconds.",
                        it -> it.isV2()
                                ? scaled(it.counter("cpu", "cpu.stat", "user_usec"), MICROS)
                                : scaled(it.number("cpuacct", "cpuacct.usage_user", ""), NANOS)),
                counter(
                        "container_cpu_system_seconds_total",
                        "CPU time spent in the kernel, in seconds.",
                        it -> it.isV2()
                                ? scaled(it.counter("cpu", "cpu.stat", "system_usec"), MICROS)
                                : scaled(it.number("cpuacct", "cpuacct.usage_sys", ""), NANOS)),
                new MetricFamily(
                        "container_cpu_usage_seconds_total",
                        "CPU time used, in seconds.",
                        MetricType.COUNTER,
                        List.of("cpu"),
                        it -> values(scaled(it.cpuNanos(), NANOS), "total")),
                counter(
                        "container_cpu_cfs_periods_total",
                        "Periods of the CPU quota that have passed.",
                        it -> throttling(it, "nr_periods")),
                counter(
                        "container_cpu_cfs_throttled_periods_total",
                        "Periods in which the CPU quota was used up.",
                        it -> throttling(it, "nr_throttled")),
                counter(
                        "container_cpu_cfs_throttled_seconds_total",
                        "Time for which the CPU quota held tasks back, in seconds.",
                        it -> it.isV2()
                                ? scaled(throttling(it, "throttled_usec"), MICROS)
                                : scaled(throttling(it, "throttled_time"), NANOS)),
                counter(
                        "container_cpu_cfs_burst_periods_total",
                        "Periods in which more than the CPU quota was used, from what was saved up.",
                        it -> throttling(it, "nr_bursts")),
                counter(
                        "container_cpu_cfs_burst_seconds_total",
                        "CPU time used beyond the quota, in seconds.",
                        it -> it.isV2()
                                ? scaled(throttling(it, "burst_usec"), MICROS)
                                : scaled(throttling(it, "burst_time"), NANOS)));
    }

    /// Only where there is a quota.
    private static OptionalLong throttling(MetricSource source, String counter) {
        return quota(source).isPresent() ? source.counter("cpu", "cpu.stat", counter) : OptionalLong.empty();
    }

    private static Stream<MetricFamily> memory() {
        return Stream.of(
                gauge(
                        "container_memory_cache",
                        "Bytes of files in memory.",
                        it -> it.memory(CgroupUsage.Memory::cache)),
                gauge("container_memory_rss", "Bytes of anonymous memory.", it -> it.memory(CgroupUsage.Memory::rss)),
                gauge(
                        "container_memory_kernel_usage",
                        "Bytes that the kernel holds for the group.",
                        it -> it.isV2()
                                ? it.counter("memory", "memory.stat", "kernel")
                                : it.number("memory", "memory.kmem.usage_in_bytes", "")),
                gauge(
                        "container_memory_mapped_file",
                        "Bytes of files that are mapped into processes.",
                        it -> it.memory(CgroupUsage.Memory::mappedFile)),
                gauge(
                        "container_memory_swap",
                        "Bytes that are swapped out.",
                        it -> it.memory(memory -> memory.swap().orElse(-1))),
                counter(
                        "container_memory_failcnt",
                        "How often the limit of memory was reached.",
                        it -> it.isV2()
                                ? it.counter("memory", "memory.events", "max")
                                : it.number("memory", "memory.failcnt", "")),
                gauge(
                        "container_memory_usage_bytes",
                        "Bytes in use, those of files that could be dropped included.",
                        it -> it.memory(CgroupUsage.Memory::usage)),
                gauge(
                        "container_memory_max_usage_bytes",
                        "The most bytes that were in use at a time.",
                        it -> it.number("memory", "memory.max_usage_in_bytes", "memory.peak")),
                gauge(
                        "container_memory_working_set_bytes",
                        "Bytes in use without files that were not used lately.",
                        it -> it.memory(CgroupUsage.Memory::workingSet)),
                gauge(
                        "container_memory_total_active_file_bytes",
                        "Bytes of files in memory that were used lately.",
                        it -> it.memory(CgroupUsage.Memory::activeFile)),
                gauge(
                        "container_memory_total_inactive_file_bytes",
                        "Bytes of files in memory that were not used lately.",
                        it -> it.memory(CgroupUsage.Memory::inactiveFile)),
                counter(
                        "container_oom_events_total",
                        "How many processes the kernel killed for want of memory.",
                        it -> it.counter("memory", it.isV2() ? "memory.events" : "memory.oom_control", "oom_kill")));
    }

    private static Stream<MetricFamily> faults() {
        return Stream.of(new MetricFamily(
                "container_memory_failures_total",
                "Page faults: of the group alone, and with those below it.",
                MetricType.COUNTER,
                List.of("failure_type", "scope"),
                source -> {
                    List<MetricFamily.Value> values = new ArrayList<>();
                    for (String fault : List.of("pgfault", "pgmajfault")) {
                        // Version 2 counts a group with those below it and nothing else.
                        String whole = source.isV2() ? fault : "total_" + fault;
                        values.addAll(values(source.counter("memory", "memory.stat", fault), fault, "container"));
                        values.addAll(values(source.counter("memory", "memory.stat", whole), fault, "hierarchy"));
                    }
                    return values;
                }));
    }

    private static Stream<MetricFamily> pressure() {
        return Stream.of("cpu", "memory", "io")
                .flatMap(resource -> Stream.of(
                        counter(
                                "container_pressure_%s_waiting_seconds_total".formatted(resource),
                                "Time for which a task at least waited for %s, in seconds.".formatted(resource),
                                it -> it.pressureSeconds(resource, Pressure::some)),
                        counter(
                                "container_pressure_%s_stalled_seconds_total".formatted(resource),
                                "Time for which all tasks waited for %s, in seconds.".formatted(resource),
                                it -> it.pressureSeconds(resource, Pressure::full))));
    }

    private static Stream<MetricFamily> fileSystem() {
        return Stream.of(
                onDevice(
                        "container_fs_inodes_free",
                        "Free inodes of the file system that the container writes to.",
                        it -> it.fileSystem().size().freeFiles()),
                onDevice(
                        "container_fs_inodes_total",
                        "Inodes of the file system that the container writes to.",
                        it -> it.fileSystem().size().files()),
                onDevice(
                        "container_fs_limit_bytes",
                        "Size of the file system that the container writes to.",
                        it -> it.fileSystem().size().totalBytes()),
                onDevice(
                        "container_fs_usage_bytes",
                        "Bytes that the container has written to its own layer.",
                        it -> it.layer()
                                .get()
                                .map(LayerUsages.Counted::usage)
                                .map(usage -> usage.bytes())
                                .orElse(-1L)));
    }

    private static MetricFamily onDevice(String name, String help, Function<MetricSource.Inside, Long> figure) {
        return new MetricFamily(
                name,
                help,
                MetricType.GAUGE,
                List.of("device"),
                source -> source.inside().stream()
                        .filter(it -> figure.apply(it) >= 0)
                        .map(it -> new MetricFamily.Value(
                                figure.apply(it), List.of(it.fileSystem().device())))
                        .toList());
    }

    private static Stream<MetricFamily> processes() {
        return Stream.of(
                gauge(
                        "container_processes",
                        "Processes of the container.",
                        it -> counts(it, counts -> OptionalLong.of(counts.processes()))),
                gauge(
                        "container_threads",
                        "Tasks of the container.",
                        it -> it.number("pids", "pids.current", "pids.current")),
                gauge(
                        "container_threads_max",
                        "The most tasks that the container may have, 0 without a limit.",
                        it -> unlimitedIsZero(it.number("pids", "pids.max", "pids.max"))),
                gauge(
                        "container_file_descriptors",
                        "Open file descriptors.",
                        it -> counts(it, ProcessCounts::descriptors)),
                gauge("container_sockets", "Open sockets.", it -> counts(it, ProcessCounts::sockets)),
                new MetricFamily(
                        "container_tasks_state",
                        "Tasks of the container in a state.",
                        MetricType.GAUGE,
                        List.of("state"),
                        source -> source.tasks().map(MetricFamilies::states).orElse(List.of())),
                new MetricFamily(
                        "container_ulimits_soft",
                        "Soft limits of the container's first process.",
                        MetricType.GAUGE,
                        List.of("ulimit"),
                        source -> source.inside().stream()
                                .flatMap(it ->
                                        values(
                                                ProcessCounts.openFilesLimit(
                                                        it.container().pid()),
                                                "max_open_files")
                                                .stream())
                                .toList()));
    }

    private static List<MetricFamily.Value> states(TaskStates tasks) {
        return List.of(
                new MetricFamily.Value(tasks.sleeping(), List.of("sleeping")),
                new MetricFamily.Value(tasks.running(), List.of("running")),
                new MetricFamily.Value(tasks.stopped(), List.of("stopped")),
                new MetricFamily.Value(tasks.uninterruptible(), List.of("uninterruptible")));
    }

    private static OptionalLong counts(MetricSource source, Function<ProcessCounts, OptionalLong> figure) {
        return source.processes().map(figure).orElse(OptionalLong.empty());
    }

    private static Stream<MetricFamily> life() {
        return Stream.of(
                gauge(
                        "container_start_time_seconds",
                        "When the container was started, in seconds since 1970.",
                        it -> it.inside()
                                .flatMap(inside -> inside.container().started())
                                .map(started -> OptionalLong.of(started.getEpochSecond()))
                                .orElse(OptionalLong.empty())),
                gauge(
                        "container_last_seen",
                        "When the container was seen last, in seconds since 1970.",
                        it -> it.inside().isPresent() ? OptionalLong.of(it.now() / NANOS) : OptionalLong.empty()));
    }

    private static Stream<MetricFamily> limits() {
        return Stream.of(
                gauge(
                        "container_spec_cpu_period",
                        "Microseconds in which the CPU quota may be used.",
                        it -> it.isV2() ? secondOf(it, "cpu.max") : it.number("cpu", "cpu.cfs_period_us", "")),
                gauge("container_spec_cpu_quota", "Microseconds of CPU time for each period.", MetricFamilies::quota),
                gauge(
                        "container_spec_cpu_shares",
                        "The group's weight when CPUs are short.",
                        it -> it.isV2()
                                ? shares(it.number("cpu", "", "cpu.weight"))
                                : it.number("cpu", "cpu.shares", "")),
                gauge(
                        "container_spec_memory_limit_bytes",
                        "The most bytes of memory, 0 without a limit.",
                        it -> unlimitedIsZero(it.number("memory", "memory.limit_in_bytes", "memory.max"))),
                gauge(
                        "container_spec_memory_reservation_limit_bytes",
                        "Bytes of memory that are taken away last, 0 without.",
                        it -> unlimitedIsZero(it.number("memory", "memory.soft_limit_in_bytes", "memory.low"))),
                gauge(
                        "container_spec_memory_swap_limit_bytes",
                        "The most bytes of swap (version 1: with memory), 0 without a limit.",
                        it -> unlimitedIsZero(it.number("memory", "memory.memsw.limit_in_bytes", "memory.swap.max"))));
    }

    private static OptionalLong quota(MetricSource source) {
        OptionalLong quota = source.number("cpu", "cpu.cfs_quota_us", "cpu.max");
        return quota.isPresent() && quota.getAsLong() > 0 && quota.getAsLong() < Long.MAX_VALUE
                ? quota
                : OptionalLong.empty();
    }

    /// `cpu.max` has two numbers, the first of which may be `max`.
    private static OptionalLong secondOf(MetricSource source, String file) {
        return source.text("cpu", file)
                .map(it -> it.toString().strip())
                .filter(it -> it.indexOf(' ') > 0)
                .map(it -> OptionalLong.of(
                        KernelText.of(it.substring(it.indexOf(' ') + 1)).number()))
                .orElse(OptionalLong.empty());
    }

    private static OptionalLong shares(OptionalLong weight) {
        return weight.isPresent() ? OptionalLong.of(CpuShares.ofWeight(weight.getAsLong())) : weight;
    }

    private static OptionalLong unlimitedIsZero(OptionalLong limit) {
        return limit.isPresent() && limit.getAsLong() >= CgroupUsage.NO_LIMIT ? OptionalLong.of(0) : limit;
    }

    private static OptionalLong scaled(OptionalLong value, long unit) {
        return value.isPresent() ? OptionalLong.of(value.getAsLong() / unit) : value;
    }

    static List<MetricFamily.Value> values(OptionalLong value, String... labels) {
        return value.isPresent() ? List.of(new MetricFamily.Value(value.getAsLong(), List.of(labels))) : List.of();
    }
}
