package dev.gantry.cni;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// What the last plugin of a chain said, of any version from 0.3.1 on.
///
/// Example: `{"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "mac": "…", "sandbox": "/run/netns/x"}],
/// "ips": [{"address": "10.88.0.5/16", "gateway": "10.88.0.1", "interface": 0}], "dns": {}}`.
///
/// @param ips the container's addresses: those of its own interface, or all where the result names none;
///     the first one of version 4, or else the very first, comes first
/// @param raw the result as the plugin wrote it
@SuppressWarnings("ArrayRecordComponent") // never compared
public record NetworkResult(List<Ip> ips, List<Interface> interfaces, Dns dns, byte[] raw) {

    public NetworkResult {
        ips = List.copyOf(ips);
        interfaces = List.copyOf(interfaces);
    }

    /// @param address without the length of its prefix
    /// @param interfaceIndex where in the result's interfaces it lives
    public record Ip(String address, int prefix, Optional<String> gateway, Optional<Integer> interfaceIndex) {

        public boolean isVersion4() {
            return address.indexOf(':') < 0;
        }
    }

    /// @param sandbox the container's namespace; empty for an interface of the host
    public record Interface(String name, String mac, String sandbox) {}

    /// The resolver's configuration that the network proposes.
    public record Dns(List<String> nameservers, String domain, List<String> search, List<String> options) {

        public Dns {
            nameservers = List.copyOf(nameservers);
            search = List.copyOf(search);
            options = List.copyOf(options);
        }
    }

    /// @param ifName the container's interface
    /// @throws JsonObject.WrongType when it is no result
    static NetworkResult parse(byte[] raw, String ifName) {
        JsonObject result = JsonObject.parse(raw);
        List<Interface> interfaces = result.objects("interfaces").stream()
                .map(json -> new Interface(
                        json.text("name").orElse(""),
                        json.text("mac").orElse(""),
                        json.text("sandbox").orElse("")))
                .toList();
        List<Ip> all = result.objects("ips").stream().map(NetworkResult::ip).toList();
        Dns dns = dns(result.object("dns"));
        return new NetworkResult(ordered(own(all, interfaces, ifName)), interfaces, dns, raw.clone());
    }

    private static Ip ip(JsonObject json) {
        String text = json.text("address").orElseThrow(() -> new JsonObject.WrongType("an ip has no address"));
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        try {
            boolean version4 = InetAddress.ofLiteral(address).getAddress().length == 4;
            int prefix = slash < 0 ? (version4 ? 32 : 128) : Integer.parseInt(text.substring(slash + 1));
            return new Ip(
                    address,
                    prefix,
                    json.text("gateway").filter(gateway -> !gateway.isEmpty()),
                    json.number("interface").map(Math::toIntExact));
        } catch (IllegalArgumentException | ArithmeticException e) {
            JsonObject.WrongType failure = new JsonObject.WrongType("'" + text + "' is no address");
            failure.initCause(e);
            throw failure;
        }
    }

    private static List<Ip> own(List<Ip> all, List<Interface> interfaces, String ifName) {
        List<Ip> own = all.stream()
                .filter(ip -> ip.interfaceIndex()
                        .filter(index -> index >= 0 && index < interfaces.size())
                        .map(interfaces::get)
                        .filter(place ->
                                place.name().equals(ifName) && !place.sandbox().isEmpty())
                        .isPresent())
                .toList();
        return own.isEmpty() ? all : own;
    }

    private static List<Ip> ordered(List<Ip> ips) {
        List<Ip> ordered = new ArrayList<>(ips);
        ips.stream().filter(Ip::isVersion4).findFirst().ifPresent(primary -> {
            ordered.removeIf(ip -> Objects.equals(ip, primary));
            ordered.addFirst(primary);
        });
        return ordered;
    }

    private static Dns dns(Optional<JsonObject> dns) {
        JsonObject json = dns.orElseGet(() -> new JsonObject(Map.of()));
        return new Dns(
                json.texts("nameservers"), json.text("domain").orElse(""), json.texts("search"), json.texts("options"));
    }
}
