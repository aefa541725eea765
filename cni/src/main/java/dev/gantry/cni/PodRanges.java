package dev.gantry.cni;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/// The ranges of addresses that a node may give to its pods, one or one of each family: `10.1.0.0/24,fd00:1::/64`.
public record PodRanges(List<String> cidrs) {

    public PodRanges {
        cidrs = List.copyOf(cidrs);
    }

    /// Reads a list with commas.
    ///
    /// @throws CniException.InvalidRequest when something in it is no range
    public static PodRanges parse(String list) {
        List<String> cidrs = new ArrayList<>();
        for (String part : list.split(",", -1)) {
            String cidr = part.strip();
            check(cidr, list);
            cidrs.add(cidr);
        }
        return new PodRanges(cidrs);
    }

    private static void check(String cidr, String list) {
        int slash = cidr.indexOf('/');
        try {
            InetAddress address = InetAddress.ofLiteral(cidr.substring(0, Math.max(0, slash)));
            int length = Integer.parseInt(cidr.substring(slash + 1));
            int longest = address instanceof Inet4Address ? 32 : 128;
            // InetAddress also takes forms that no plugin does, such as 10.1 for 10.0.0.1.
            boolean plain = cidr.indexOf('%') < 0
                    && (address instanceof Inet4Address) == cidr.matches("[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+/[0-9]+");
            if (length < 0 || length > longest || !plain) {
                throw new IllegalArgumentException("not a range");
            }
        } catch (IllegalArgumentException _) {
            throw new CniException.InvalidRequest(
                    "\"%s\" in \"%s\" is no range of addresses as 10.1.0.0/24 or fd00:1::/64".formatted(cidr, list));
        }
    }

    /// Everywhere, once for each family of the ranges.
    List<String> routes() {
        return cidrs.stream()
                .map(it -> it.indexOf(':') < 0 ? "0.0.0.0/0" : "::/0")
                .distinct()
                .toList();
    }
}
