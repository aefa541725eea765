package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Quantity;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// What containers ask for, in thousandths of a processor and in bytes, and the numbers that the
/// kubelet makes of it. Zero means: not given. A limit without a request is the request too.
record ResourceLimits(long cpuRequest, long cpuLimit, long memoryRequest, long memoryLimit) {

    private static final long PERIOD = 100_000;
    private static final long MIN_QUOTA = 1_000;
    private static final long MIN_SHARES = 2;
    private static final long MAX_SHARES = 262_144;
    private static final BigDecimal LONGEST = BigDecimal.valueOf(Long.MAX_VALUE);

    static ResourceLimits of(Container container) {
        var resources = container.getResources();
        if (resources == null) {
            return new ResourceLimits(0, 0, 0, 0);
        }
        long cpuLimit = amount(resources.getLimits(), "cpu", 1000);
        long cpuRequest = amount(resources.getRequests(), "cpu", 1000);
        long memoryLimit = amount(resources.getLimits(), "memory", 1);
        long memoryRequest = amount(resources.getRequests(), "memory", 1);
        return new ResourceLimits(
                given(resources.getRequests(), "cpu") ? cpuRequest : cpuLimit,
                cpuLimit,
                given(resources.getRequests(), "memory") ? memoryRequest : memoryLimit,
                memoryLimit);
    }

    private static boolean given(@Nullable Map<String, Quantity> map, String name) {
        return map != null && map.containsKey(name);
    }

    private static long amount(@Nullable Map<String, Quantity> map, String name, int factor) {
        Quantity quantity = map == null ? null : map.get(name);
        return quantity == null ? 0 : amount(quantity, factor);
    }

    /// A quantity times a factor, rounded up as Kubernetes rounds; what is too large is the largest.
    ///
    /// @throws ArithmeticException or IllegalArgumentException if it is no number
    static long amount(Quantity quantity, int factor) {
        return Quantity.getAmountInBytes(quantity)
                .multiply(BigDecimal.valueOf(factor))
                .setScale(0, RoundingMode.CEILING)
                .min(LONGEST)
                .longValueExact();
    }

    static long shares(long milliCpu) {
        return Math.clamp(milliCpu * 1024 / 1000, MIN_SHARES, MAX_SHARES);
    }

    static long quota(long milliCpu) {
        return milliCpu == 0 ? 0 : Math.max(MIN_QUOTA, milliCpu * PERIOD / 1000);
    }

    /// For one container; the badness decides who dies first when the node runs out of memory.
    LinuxContainerResources forContainer(int oomScore) {
        return linux(shares(cpuRequest)).setOomScoreAdj(oomScore).build();
    }

    private LinuxContainerResources.Builder linux(long shares) {
        var linux = LinuxContainerResources.newBuilder().setCpuShares(shares).setMemoryLimitInBytes(memoryLimit);
        if (cpuLimit > 0) {
            linux.setCpuPeriod(PERIOD).setCpuQuota(quota(cpuLimit));
        }
        return linux;
    }

    /// For the pod: the sum of its containers, or the largest init container where that is more. A
    /// limit holds only if every container has one.
    static LinuxContainerResources forPod(List<ResourceLimits> containers, List<ResourceLimits> initContainers) {
        boolean cpuLimited = containers.stream().allMatch(c -> c.cpuLimit > 0)
                && initContainers.stream().allMatch(c -> c.cpuLimit > 0);
        boolean memoryLimited = containers.stream().allMatch(c -> c.memoryLimit > 0)
                && initContainers.stream().allMatch(c -> c.memoryLimit > 0);
        var pod = new ResourceLimits(
                total(containers, initContainers, ResourceLimits::cpuRequest),
                cpuLimited ? total(containers, initContainers, ResourceLimits::cpuLimit) : 0,
                total(containers, initContainers, ResourceLimits::memoryRequest),
                memoryLimited ? total(containers, initContainers, ResourceLimits::memoryLimit) : 0);
        return pod.linux(shares(pod.cpuRequest)).build();
    }

    private static long total(
            List<ResourceLimits> containers, List<ResourceLimits> initContainers, ToLongFunction<ResourceLimits> part) {
        long sum = containers.stream().mapToLong(part).sum();
        return Math.max(sum, initContainers.stream().mapToLong(part).max().orElse(0));
    }

    /// The score of a container in a pod of the given class, as the kubelet computes it.
    int oomScore(QualityOfService pod, long nodeMemory) {
        return switch (pod) {
            case GUARANTEED -> -997;
            case BEST_EFFORT -> 1000;
            case BURSTABLE ->
                (int) Math.clamp(
                        1000
                                - BigDecimal.valueOf(memoryRequest)
                                        .multiply(BigDecimal.valueOf(1000))
                                        .divide(BigDecimal.valueOf(nodeMemory), RoundingMode.FLOOR)
                                        .longValue(),
                        3L,
                        999L);
        };
    }

    /// The class of a pod: guaranteed if every container has both limits and asks for as much, best
    /// effort if none asks for anything.
    static QualityOfService quality(List<ResourceLimits> all) {
        boolean nothing = all.stream().allMatch(c -> c.cpuRequest == 0 && c.memoryRequest == 0);
        boolean whole = all.stream()
                .allMatch(c -> c.cpuLimit > 0
                        && c.memoryLimit > 0
                        && c.cpuRequest == c.cpuLimit
                        && c.memoryRequest == c.memoryLimit);
        if (nothing) {
            return QualityOfService.BEST_EFFORT;
        }
        return whole ? QualityOfService.GUARANTEED : QualityOfService.BURSTABLE;
    }
}
