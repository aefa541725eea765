package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.Metric;
import dev.gantry.cri.runtime.v1.MetricDescriptor;
import dev.gantry.cri.runtime.v1.MetricType;
import dev.gantry.linux.NetworkDevice;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/// Metrics of the network of a pod, one for each interface of its namespace.
final class NetworkMetrics {

    private static final String INTERFACE = "interface";

    private static final List<Family> FAMILIES = List.of(
            new Family("receive_bytes", "Bytes received.", NetworkDevice::receivedBytes),
            new Family("receive_packets", "Packets received.", NetworkDevice::receivedPackets),
            new Family("receive_packets_dropped", "Received packets that were dropped.", NetworkDevice::receiveDrops),
            new Family("receive_errors", "Errors in receiving.", NetworkDevice::receiveErrors),
            new Family("transmit_bytes", "Bytes sent.", NetworkDevice::sentBytes),
            new Family("transmit_packets", "Packets sent.", NetworkDevice::sentPackets),
            new Family("transmit_packets_dropped", "Packets to be sent that were dropped.", NetworkDevice::sendDrops),
            new Family("transmit_errors", "Errors in sending.", NetworkDevice::sendErrors));

    private NetworkMetrics() {}

    private record Family(String what, String help, ToLongFunction<NetworkDevice> figure) {

        String name() {
            return "container_network_%s_total".formatted(what);
        }
    }

    static Stream<MetricDescriptor> descriptors() {
        return FAMILIES.stream()
                .map(it -> MetricDescriptor.newBuilder()
                        .setName(it.name())
                        .setHelp(it.help())
                        .addAllLabelKeys(MetricFamily.BASE_LABELS)
                        .addLabelKeys(INTERFACE)
                        .build());
    }

    /// @param labels the values of [MetricFamily#BASE_LABELS]
    static Stream<Metric> read(List<NetworkDevice> devices, List<String> labels, long now) {
        return FAMILIES.stream()
                .flatMap(family -> devices.stream()
                        .map(device -> Metric.newBuilder()
                                .setName(family.name())
                                .setTimestamp(now)
                                .setMetricType(MetricType.COUNTER)
                                .addAllLabelValues(labels)
                                .addLabelValues(device.name())
                                .setValue(UsageMessages.value(family.figure().applyAsLong(device)))
                                .build()));
    }
}
