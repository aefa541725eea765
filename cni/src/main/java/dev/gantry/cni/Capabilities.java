package dev.gantry.cni;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a pod asks of its network. A plugin is given those that its configuration declares under
/// `capabilities` (CNI conventions, "Dynamic Plugin specific fields").
///
/// As JSON: `{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}], "mac": "…"}`.
public record Capabilities(
        List<PortMapping> portMappings,
        Optional<Bandwidth> bandwidth,
        Optional<Dns> dns,
        List<String> ips,
        Optional<String> mac,
        Optional<String> cgroupPath,
        Map<String, String> podAnnotations) {

    public static final Capabilities NONE = new Capabilities(
            List.of(), Optional.empty(), Optional.empty(), List.of(), Optional.empty(), Optional.empty(), Map.of());

    public Capabilities {
        portMappings = List.copyOf(portMappings);
        ips = List.copyOf(ips);
        podAnnotations = Collections.unmodifiableMap(new LinkedHashMap<>(podAnnotations));
    }

    /// @param protocol `tcp`, `udp` or `sctp`
    /// @param hostIp empty for every address of the host
    public record PortMapping(int hostPort, int containerPort, String protocol, String hostIp) {}

    /// Rates in bits per second, bursts in bits; 0 is no limit.
    public record Bandwidth(long ingressRate, long ingressBurst, long egressRate, long egressBurst) {}

    /// The resolver's configuration.
    public record Dns(List<String> servers, List<String> searches, List<String> options) {

        public Dns {
            servers = List.copyOf(servers);
            searches = List.copyOf(searches);
            options = List.copyOf(options);
        }
    }

    Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        if (!portMappings.isEmpty()) {
            json.put(
                    "portMappings",
                    portMappings.stream().map(Capabilities::toJson).toList());
        }
        bandwidth.ifPresent(limits -> json.put("bandwidth", toJson(limits)));
        dns.ifPresent(resolver -> json.put("dns", toJson(resolver)));
        if (!ips.isEmpty()) {
            json.put("ips", new ArrayList<>(ips));
        }
        mac.ifPresent(address -> json.put("mac", address));
        cgroupPath.ifPresent(path -> json.put("cgroupPath", path));
        if (!podAnnotations.isEmpty()) {
            json.put("io.kubernetes.cri.pod-annotations", new LinkedHashMap<>(podAnnotations));
        }
        return json;
    }

    private static Map<String, Object> toJson(PortMapping mapping) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("hostPort", (long) mapping.hostPort());
        json.put("containerPort", (long) mapping.containerPort());
        json.put("protocol", mapping.protocol());
        if (!mapping.hostIp().isEmpty()) {
            json.put("hostIP", mapping.hostIp());
        }
        return json;
    }

    private static Map<String, Object> toJson(Bandwidth limits) {
        Map<String, Object> json = new LinkedHashMap<>();
        putLimit(json, "ingress", limits.ingressRate(), limits.ingressBurst());
        putLimit(json, "egress", limits.egressRate(), limits.egressBurst());
        return json;
    }

    /// The bandwidth plugin refuses a rate without a burst.
    private static void putLimit(Map<String, Object> json, String direction, long rate, long burst) {
        if (rate > 0) {
            json.put(direction + "Rate", rate);
            json.put(direction + "Burst", burst > 0 ? burst : Math.min(rate, Integer.MAX_VALUE));
        }
    }

    private static Map<String, Object> toJson(Dns dns) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("servers", new ArrayList<>(dns.servers()));
        json.put("searches", new ArrayList<>(dns.searches()));
        json.put("options", new ArrayList<>(dns.options()));
        return json;
    }
}
