package dev.gantry.sandbox;

import java.util.List;

/// The name servers of a pod (CRI `DNSConfig`); when all three lists are empty the host's `resolv.conf` is used.
public record DnsConfig(List<String> servers, List<String> searches, List<String> options) {

    public static final DnsConfig HOST = new DnsConfig(List.of(), List.of(), List.of());

    public DnsConfig {
        servers = checked("server", servers);
        searches = checked("search domain", searches);
        options = checked("option", options);
    }

    public boolean isEmpty() {
        return servers.isEmpty() && searches.isEmpty() && options.isEmpty();
    }

    /// A value with white space would become a line or word of its own in the file.
    private static List<String> checked(String what, List<String> values) {
        for (String value : values) {
            if (value.isEmpty() || value.chars().anyMatch(c -> Character.isWhitespace(c) || c < ' ')) {
                throw new SandboxException.InvalidRequest(
                        "dns %s \"%s\" is empty or holds white space".formatted(what, value));
            }
        }
        return List.copyOf(values);
    }
}
