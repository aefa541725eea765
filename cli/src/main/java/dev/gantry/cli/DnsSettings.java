package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.DNSConfig;
import io.fabric8.kubernetes.api.model.PodDNSConfig;
import io.fabric8.kubernetes.api.model.PodDNSConfigOption;
import io.fabric8.kubernetes.api.model.PodSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;

/// The resolver of a pod. Without a cluster there are two policies: `Default`, the node's own
/// resolv.conf with what the pod adds, and `None`, the pod's settings alone.
final class DnsSettings {

    private DnsSettings() {}

    /// Absent if the pod takes the node's settings as they are, which the daemon knows best.
    static Optional<DNSConfig> of(PodSpec spec, List<String> nodeResolvConf) {
        PodDNSConfig own = spec.getDnsConfig();
        if (own == null) {
            return Optional.empty();
        }
        SequencedSet<String> servers = new LinkedHashSet<>();
        SequencedSet<String> searches = new LinkedHashSet<>();
        Map<String, String> options = new LinkedHashMap<>();
        if (!"None".equals(spec.getDnsPolicy())) {
            nodeResolvConf.forEach(line -> node(line.strip(), servers, searches, options));
        }
        servers.addAll(own.getNameservers());
        searches.addAll(own.getSearches());
        for (PodDNSConfigOption option : own.getOptions()) {
            options.put(
                    option.getName(),
                    option.getValue() == null ? option.getName() : option.getName() + ":" + option.getValue());
        }
        return Optional.of(DNSConfig.newBuilder()
                .addAllServers(servers)
                .addAllSearches(searches)
                .addAllOptions(options.values())
                .build());
    }

    private static void node(
            String line, SequencedSet<String> servers, SequencedSet<String> searches, Map<String, String> options) {
        List<String> words = new ArrayList<>(List.of(line.split("\\s+", -1)));
        switch (words.removeFirst()) {
            case "nameserver" -> servers.addAll(words.subList(0, Math.min(1, words.size())));
            case "search" -> {
                searches.clear(); // the last line counts
                searches.addAll(words);
            }
            case "options" -> words.forEach(word -> options.put(word.split(":", 2)[0], word));
            default -> {}
        }
    }
}
