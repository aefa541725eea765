package dev.gantry.sandbox;

import dev.gantry.cni.Capabilities;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a pod's request asks of its network, for the plugins that can do it.
final class NetworkWishes {

    private static final String INGRESS = "kubernetes.io/ingress-bandwidth";
    private static final String EGRESS = "kubernetes.io/egress-bandwidth";
    private static final Map<String, Long> UNITS = Map.ofEntries(
            Map.entry("", 1L),
            Map.entry("k", 1_000L),
            Map.entry("M", 1_000_000L),
            Map.entry("G", 1_000_000_000L),
            Map.entry("T", 1_000_000_000_000L),
            Map.entry("P", 1_000_000_000_000_000L),
            Map.entry("Ki", 1L << 10),
            Map.entry("Mi", 1L << 20),
            Map.entry("Gi", 1L << 30),
            Map.entry("Ti", 1L << 40),
            Map.entry("Pi", 1L << 50));

    private NetworkWishes() {}

    static Capabilities of(Sandbox sandbox) {
        SandboxConfig config = sandbox.config();
        return new Capabilities(
                ports(config.ports()),
                bandwidth(config.annotations()),
                dns(config.dns()),
                List.of(),
                Optional.empty(),
                Optional.of(sandbox.cgroupParent()),
                config.annotations());
    }

    /// A port without a host port is only declared.
    private static List<Capabilities.PortMapping> ports(List<PodPort> ports) {
        return ports.stream()
                .filter(port -> port.hostPort() > 0)
                .map(port -> new Capabilities.PortMapping(
                        port.hostPort(), port.containerPort(), port.protocol(), port.hostIp()))
                .toList();
    }

    private static Optional<Capabilities.Dns> dns(DnsConfig dns) {
        return dns.isEmpty()
                ? Optional.empty()
                : Optional.of(new Capabilities.Dns(dns.servers(), dns.searches(), dns.options()));
    }

    private static Optional<Capabilities.Bandwidth> bandwidth(Map<String, String> annotations) {
        if (!annotations.containsKey(INGRESS) && !annotations.containsKey(EGRESS)) {
            return Optional.empty();
        }
        return Optional.of(new Capabilities.Bandwidth(rate(annotations, INGRESS), 0, rate(annotations, EGRESS), 0));
    }

    /// Bits per second, written as a Kubernetes quantity (`10M`, `1Gi`); 0 when it is not said.
    private static long rate(Map<String, String> annotations, String name) {
        String text = annotations.getOrDefault(name, "").strip();
        if (text.isEmpty()) {
            return 0;
        }
        int unit = text.length();
        while (unit > 0 && Character.isLetter(text.charAt(unit - 1))) {
            unit--;
        }
        Long factor = UNITS.get(text.substring(unit));
        try {
            if (factor == null) {
                throw new NumberFormatException("unknown unit");
            }
            long rate = new BigDecimal(text.substring(0, unit))
                    .multiply(BigDecimal.valueOf(factor))
                    .longValueExact();
            if (rate <= 0) {
                throw new NumberFormatException("not positive");
            }
            return rate;
        } catch (ArithmeticException | NumberFormatException e) {
            throw new SandboxException.InvalidRequest(
                    "annotation %s: \"%s\" is not a positive quantity of bits per second, as 10M is"
                            .formatted(name, text));
        }
    }
}
