package dev.gantry.runtime;

import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.runtime.v1.HugepageLimit;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// The limits of a container, from the CRI message to the OCI spec. 0 and empty mean that nothing is limited.
final class ContainerLimits {

    private static final Pattern PAGE_SIZE = Pattern.compile("[1-9][0-9]*(KB|MB|GB)");
    private static final Pattern CPU_LIST = Pattern.compile("[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*");
    private static final Pattern UNIFIED_KEY = Pattern.compile("[a-z0-9_]+(\\.[A-Za-z0-9_-]+)+");
    private static final long UNLIMITED = -1;

    private ContainerLimits() {}

    /// @throws ContainerException.InvalidRequest when a limit cannot be set on this node
    static Resources of(LinuxContainerResources request, List<Resources.DeviceRule> devices, NodeFeatures node) {
        return limits(request, node)
                .devices(devices)
                .memory(memory(request, node).build())
                .build();
    }

    /// What a running container gets. The runtime refuses a memory limit below what the container uses, where the
    /// kernel would rather kill it (cgroup v2).
    static Resources ofUpdate(LinuxContainerResources request, NodeFeatures node) {
        return limits(request, node)
                .memory(memory(request, node).checkBeforeUpdate(true).build())
                .build();
    }

    private static Resources.Builder limits(LinuxContainerResources request, NodeFeatures node) {
        return Resources.builder()
                .cpu(cpu(request))
                .hugepageLimits(hugepages(request, node))
                .unified(unified(request, node));
    }

    private static Resources.Cpu cpu(LinuxContainerResources request) {
        Resources.Cpu.Builder cpu = Resources.Cpu.builder()
                .cpus(cpuList("cpuset_cpus", request.getCpusetCpus()))
                .mems(cpuList("cpuset_mems", request.getCpusetMems()));
        if (checked("cpu_period", request.getCpuPeriod(), 0) > 0) {
            cpu.period(request.getCpuPeriod());
        }
        if (checked("cpu_quota", request.getCpuQuota(), UNLIMITED) != 0) {
            cpu.quota(request.getCpuQuota());
        }
        if (checked("cpu_shares", request.getCpuShares(), 0) > 0) {
            cpu.shares(request.getCpuShares());
        }
        return cpu.build();
    }

    /// Swap counts memory too. Where nothing is said, a container with a memory limit gets no swap on top of it.
    private static Resources.Memory.Builder memory(LinuxContainerResources request, NodeFeatures node) {
        long limit = checked("memory_limit_in_bytes", request.getMemoryLimitInBytes(), UNLIMITED);
        long swap = checked("memory_swap_limit_in_bytes", request.getMemorySwapLimitInBytes(), UNLIMITED);
        if (swap > 0 && swap < limit) {
            throw new ContainerException.InvalidRequest(
                    "memory_swap_limit_in_bytes %d is less than memory_limit_in_bytes %d".formatted(swap, limit));
        }
        Resources.Memory.Builder memory = Resources.Memory.builder();
        if (limit != 0) {
            memory.limit(limit);
        }
        long total = swap == 0 ? limit : swap;
        if (total != 0 && node.swapAccounting()) {
            memory.swap(total);
        }
        return memory;
    }

    /// The kubelet names every page size of the node with 0, whether or not the kernel can limit it.
    private static List<Resources.HugepageLimit> hugepages(LinuxContainerResources request, NodeFeatures node) {
        boolean limited = node.cgroupControllers().contains("hugetlb");
        List<Resources.HugepageLimit> limits = new ArrayList<>();
        for (HugepageLimit hugepages : request.getHugepageLimitsList()) {
            if (!PAGE_SIZE.matcher(hugepages.getPageSize()).matches()) {
                throw new ContainerException.InvalidRequest(
                        "huge page size \"%s\" is not written as in 2MB".formatted(hugepages.getPageSize()));
            }
            if (limited) {
                limits.add(new Resources.HugepageLimit(hugepages.getPageSize(), hugepages.getLimit()));
            } else if (hugepages.getLimit() != 0) {
                throw new ContainerException.InvalidRequest(
                        "cannot limit huge pages of %s: the node has no hugetlb cgroup controller"
                                .formatted(hugepages.getPageSize()));
            }
        }
        return limits;
    }

    private static Map<String, String> unified(LinuxContainerResources request, NodeFeatures node) {
        Map<String, String> unified = request.getUnifiedMap();
        unified.forEach((key, value) -> {
            if (!node.unifiedCgroups()) {
                throw new ContainerException.InvalidRequest(
                        "unified cgroup key %s needs cgroup v2, and this node has v1".formatted(key));
            }
            if (!UNIFIED_KEY.matcher(key).matches() || value.indexOf('\0') >= 0) {
                throw new ContainerException.InvalidRequest(
                        "unified cgroup key \"%s\" is not the name of a cgroup file".formatted(key));
            }
        });
        return unified;
    }

    private static String cpuList(String field, String list) {
        if (!list.isEmpty() && !CPU_LIST.matcher(list).matches()) {
            throw new ContainerException.InvalidRequest("%s \"%s\" is not a list as in 0-3,7".formatted(field, list));
        }
        return list;
    }

    private static long checked(String field, long value, long least) {
        if (value < least) {
            throw new ContainerException.InvalidRequest("%s %d is less than %d".formatted(field, value, least));
        }
        return value;
    }
}
