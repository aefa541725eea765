package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.CpuUsage;
import dev.gantry.cri.runtime.v1.IoUsage;
import dev.gantry.cri.runtime.v1.MemoryUsage;
import dev.gantry.cri.runtime.v1.NetworkInterfaceUsage;
import dev.gantry.cri.runtime.v1.NetworkUsage;
import dev.gantry.cri.runtime.v1.PsiData;
import dev.gantry.cri.runtime.v1.PsiStats;
import dev.gantry.cri.runtime.v1.SwapUsage;
import dev.gantry.cri.runtime.v1.UInt64Value;
import dev.gantry.linux.NetworkDevice;
import dev.gantry.linux.Pressure;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Figures of a cgroup and of a network namespace as CRI messages. What is not known stays unset.
final class UsageMessages {

    /// The interface that a pod's network plugin makes.
    private static final String DEFAULT_INTERFACE = "eth0";

    private UsageMessages() {}

    /// @param now   nanoseconds since 1970, as in all of these
    /// @param nanos used so far
    /// @param rate  nanoseconds for each second
    static CpuUsage cpu(long now, long nanos, OptionalLong rate, Optional<Pressure> pressure) {
        CpuUsage.Builder message = CpuUsage.newBuilder().setTimestamp(now).setUsageCoreNanoSeconds(value(nanos));
        rate.ifPresent(it -> message.setUsageNanoCores(value(it)));
        pressure.ifPresent(it -> message.setPsi(psi(it)));
        return message.build();
    }

    static MemoryUsage memory(long now, CgroupUsage.Memory memory, Optional<Pressure> pressure) {
        MemoryUsage.Builder message = MemoryUsage.newBuilder()
                .setTimestamp(now)
                .setUsageBytes(value(memory.usage()))
                .setWorkingSetBytes(value(memory.workingSet()));
        known(memory.rss()).ifPresent(message::setRssBytes);
        known(memory.pageFaults()).ifPresent(message::setPageFaults);
        known(memory.majorPageFaults()).ifPresent(message::setMajorPageFaults);
        memory.limit().ifPresent(it -> message.setAvailableBytes(value(Math.max(0, it - memory.workingSet()))));
        pressure.ifPresent(it -> message.setPsi(psi(it)));
        return message.build();
    }

    static Optional<SwapUsage> swap(long now, CgroupUsage.Memory memory) {
        if (memory.swap().isEmpty()) {
            return Optional.empty();
        }
        long used = memory.swap().getAsLong();
        SwapUsage.Builder message = SwapUsage.newBuilder().setTimestamp(now).setSwapUsageBytes(value(used));
        memory.swapLimit().ifPresent(it -> message.setSwapAvailableBytes(value(Math.max(0, it - used))));
        return Optional.of(message.build());
    }

    static Optional<IoUsage> io(long now, Optional<Pressure> pressure) {
        return pressure.map(
                it -> IoUsage.newBuilder().setTimestamp(now).setPsi(psi(it)).build());
    }

    /// The interface that the kubelet shows, `eth0` or else the first, apart from the others; empty without any.
    static Optional<NetworkUsage> network(long now, List<NetworkDevice> devices) {
        if (devices.isEmpty()) {
            return Optional.empty();
        }
        NetworkDevice first = devices.stream()
                .filter(it -> it.name().equals(DEFAULT_INTERFACE))
                .findFirst()
                .orElse(devices.getFirst());
        NetworkUsage.Builder message =
                NetworkUsage.newBuilder().setTimestamp(now).setDefaultInterface(device(first));
        devices.stream().filter(it -> !it.equals(first)).forEach(it -> message.addInterfaces(device(it)));
        return Optional.of(message.build());
    }

    private static NetworkInterfaceUsage device(NetworkDevice device) {
        return NetworkInterfaceUsage.newBuilder()
                .setName(device.name())
                .setRxBytes(value(device.receivedBytes()))
                .setRxErrors(value(device.receiveErrors()))
                .setTxBytes(value(device.sentBytes()))
                .setTxErrors(value(device.sendErrors()))
                .build();
    }

    private static PsiStats psi(Pressure pressure) {
        PsiStats.Builder message = PsiStats.newBuilder();
        pressure.some().ifPresent(it -> message.setSome(stall(it)));
        pressure.full().ifPresent(it -> message.setFull(stall(it)));
        return message.build();
    }

    /// The kernel counts microseconds, the CRI nanoseconds.
    private static PsiData stall(Pressure.Stall stall) {
        return PsiData.newBuilder()
                .setTotal(stall.totalMicros() * 1000)
                .setAvg10(stall.average10())
                .setAvg60(stall.average60())
                .setAvg300(stall.average300())
                .build();
    }

    private static Optional<UInt64Value> known(long number) {
        return number < 0 ? Optional.empty() : Optional.of(value(number));
    }

    static UInt64Value value(long number) {
        return UInt64Value.newBuilder().setValue(number).build();
    }
}
