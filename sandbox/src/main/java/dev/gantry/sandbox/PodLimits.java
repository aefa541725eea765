package dev.gantry.sandbox;

import dev.gantry.linux.Cgroups;
import dev.gantry.linux.Errno;
import dev.gantry.linux.ErrnoException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The limits of a pod as files of its cgroup, on version 1 and 2.
final class PodLimits {

    private static final long DEFAULT_PERIOD = 100_000;

    private final Cgroups cgroups;
    private final Cgroups.Version version;
    private final String group;

    PodLimits(Cgroups cgroups, Cgroups.Version version, String group) {
        this.cgroups = cgroups;
        this.version = version;
        this.group = group;
    }

    /// One file and what goes into it.
    record Limit(String controller, String file, String value) {}

    /// Sets all limits, or none of them.
    void apply(LinuxResources resources) {
        List<Limit> limits = of(resources);
        List<Limit> before = new ArrayList<>();
        for (Limit limit : limits) {
            cgroups.read(limit.controller(), group, limit.file())
                    .ifPresent(value -> before.add(new Limit(limit.controller(), limit.file(), value.strip())));
        }
        try {
            writeAll(limits);
        } catch (ErrnoException e) {
            try {
                writeAll(before);
            } catch (ErrnoException again) {
                e.addSuppressed(again);
            }
            throw e;
        }
    }

    /// The kernel refuses what contradicts another limit for a moment only (memory above memory and swap, a quota that
    /// is more than that above it allows): those wait for the others.
    private void writeAll(List<Limit> limits) {
        Deque<Limit> waiting = new ArrayDeque<>(limits);
        int refused = 0;
        while (!waiting.isEmpty()) {
            Limit limit = waiting.removeFirst();
            ErrnoException failure = write(limit);
            if (failure == null) {
                refused = 0;
            } else if (refused < waiting.size()) {
                refused++;
                waiting.addLast(limit);
            } else {
                throw failure;
            }
        }
    }

    private @Nullable ErrnoException write(Limit limit) {
        try {
            cgroups.write(limit.controller(), group, limit.file(), limit.value());
            return null;
        } catch (ErrnoException e) {
            if (e.is(Errno.EINVAL, Errno.EBUSY)) {
                return e;
            }
            throw e;
        }
    }

    /// @throws SandboxException.InvalidRequest for what this node cannot limit
    List<Limit> of(LinuxResources resources) {
        List<Limit> limits = new ArrayList<>();
        boolean unified = version == Cgroups.Version.V2;
        cpu(resources, unified, limits);
        memory(resources, unified, limits);
        if (!resources.cpusetCpus().isEmpty()) {
            limits.add(new Limit("cpuset", "cpuset.cpus", resources.cpusetCpus()));
        }
        if (!resources.cpusetMems().isEmpty()) {
            limits.add(new Limit("cpuset", "cpuset.mems", resources.cpusetMems()));
        }
        hugepages(resources, unified, limits);
        resources.unified().forEach((key, value) -> {
            if (!unified) {
                throw new SandboxException.InvalidRequest(
                        "unified cgroup key %s needs cgroup v2, and this node has v1".formatted(key));
            }
            limits.add(new Limit(key.substring(0, key.indexOf('.')), key, value));
        });
        return limits;
    }

    private static void cpu(LinuxResources resources, boolean unified, List<Limit> limits) {
        long quota = resources.cpuQuota();
        long period = resources.cpuPeriod();
        if (unified) {
            if (quota != 0) {
                limits.add(new Limit("cpu", "cpu.max", number(quota) + " " + (period == 0 ? DEFAULT_PERIOD : period)));
            }
            if (resources.cpuShares() > 0) {
                limits.add(new Limit("cpu", "cpu.weight", Long.toString(CpuShares.weight(resources.cpuShares()))));
            }
            return;
        }
        if (period != 0) {
            limits.add(new Limit("cpu", "cpu.cfs_period_us", Long.toString(period)));
        }
        if (quota != 0) {
            limits.add(new Limit("cpu", "cpu.cfs_quota_us", Long.toString(quota)));
        }
        if (resources.cpuShares() > 0) {
            limits.add(new Limit("cpu", "cpu.shares", Long.toString(resources.cpuShares())));
        }
    }

    /// A pod with a memory limit gets no swap on top of it unless that is said.
    private void memory(LinuxResources resources, boolean unified, List<Limit> limits) {
        long memory = resources.memoryLimit();
        long total = resources.memorySwapLimit() == 0 ? memory : resources.memorySwapLimit();
        if (total > 0 && total < memory) {
            throw new SandboxException.InvalidRequest(
                    "the pod's limit of memory and swap, %d, is less than that of memory, %d".formatted(total, memory));
        }
        if (memory != 0) {
            limits.add(new Limit(
                    "memory",
                    unified ? "memory.max" : "memory.limit_in_bytes",
                    unified ? number(memory) : Long.toString(memory)));
        }
        String file = unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
        if (total != 0 && cgroups.read("memory", group, file).isPresent()) {
            long swap = total < 0 || memory < 0 ? total : total - memory;
            limits.add(new Limit("memory", file, unified ? number(swap) : Long.toString(total)));
        }
    }

    /// The kubelet names every page size of the node with 0, whether or not the kernel can limit it.
    private void hugepages(LinuxResources resources, boolean unified, List<Limit> limits) {
        for (LinuxResources.HugepageLimit hugepages : resources.hugepages()) {
            if (cgroups.hasController("hugetlb")) {
                String file = "hugetlb.%s.%s".formatted(hugepages.pageSize(), unified ? "max" : "limit_in_bytes");
                limits.add(new Limit("hugetlb", file, Long.toUnsignedString(hugepages.limit())));
            } else if (hugepages.limit() != 0) {
                throw new SandboxException.InvalidRequest(
                        "cannot limit huge pages of %s: the node has no hugetlb cgroup controller"
                                .formatted(hugepages.pageSize()));
            }
        }
    }

    private static String number(long limit) {
        return limit < 0 ? "max" : Long.toString(limit);
    }
}
