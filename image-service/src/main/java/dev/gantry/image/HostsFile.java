package dev.gantry.image;

import dev.gantry.image.Endpoint.Capability;
import dev.gantry.image.Endpoint.ClientKey;
import dev.gantry.image.Endpoint.Tls;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/// Reads a `hosts.toml`, the file containerd describes servers of a registry with:
///
/// ```toml
/// server = "https://registry.example"
///
/// [host."https://mirror.example:5000"]
///   capabilities = ["pull", "resolve"]
///   ca = "mirror.crt"
///   username = "node"                  # these three are ours: containerd has no credentials here
///   password = "secret"
/// ```
///
/// The hosts are asked in the order of the file, then `server`. Keys that containerd knows and pulls do not need are
/// ignored; unknown ones are errors, because a misspelt `skip_verify` or `ca` must not pass unseen.
final class HostsFile {

    private static final Set<String> SERVER_KEYS = Set.of("server", "host");
    private static final Set<String> HOST_KEYS = Set.of(
            "capabilities",
            "ca",
            "client",
            "skip_verify",
            "header",
            "override_path",
            "dial_timeout",
            "username",
            "password",
            "token");
    private static final Pattern DURATION = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h)");

    private final Path file;
    private final String domain;
    private final TomlParseResult toml;

    private HostsFile(Path file, String domain, TomlParseResult toml) {
        this.file = file;
        this.domain = domain;
        this.toml = toml;
    }

    /// @throws ImageException.BadConfiguration naming the file, the line and the key
    static List<Endpoint> read(Path file, String domain) {
        TomlParseResult toml;
        try {
            toml = Toml.parse(file);
        } catch (IOException e) {
            throw new ImageException.BadConfiguration("cannot read registry configuration " + file, e);
        }
        if (toml.hasErrors()) {
            var error = toml.errors().getFirst();
            throw wrong(file, error.position(), Objects.toString(error.getMessage()), error);
        }
        return new HostsFile(file, domain, toml).endpoints();
    }

    private List<Endpoint> endpoints() {
        List<Endpoint> endpoints = new ArrayList<>();
        TomlTable hosts = toml.isTable(List.of("host")) ? toml.getTable(List.of("host")) : null;
        if (hosts != null) {
            List<String> names = new ArrayList<>(hosts.keySet());
            names.sort(Comparator.comparingInt(name -> line(hosts, name)));
            for (String name : names) {
                endpoints.add(mirror(hosts, name));
            }
        } else if (toml.contains(List.of("host"))) {
            throw wrong(toml, "host", "must be a table");
        }
        endpoints.add(server());
        return endpoints;
    }

    private Endpoint mirror(TomlTable hosts, String name) {
        if (!hosts.isTable(List.of(name))) {
            throw wrong(hosts, name, "must be a table");
        }
        TomlTable host = Objects.requireNonNull(hosts.getTable(List.of(name)));
        refuseUnknown(host, HOST_KEYS);
        return endpoint(host, name, hosts.inputPositionOf(List.of(name)), true);
    }

    private Endpoint server() {
        for (String key : toml.keySet()) {
            if (!SERVER_KEYS.contains(key) && !HOST_KEYS.contains(key)) {
                throw wrong(toml, key, "is not known");
            }
        }
        String server = text(toml, "server");
        String address = server.isEmpty() ? RegistryHosts.serverName(domain) : server;
        return endpoint(toml, address, toml.inputPositionOf(List.of("server")), false);
    }

    private Endpoint endpoint(TomlTable table, String address, @Nullable TomlPosition at, boolean mirror) {
        Tls tls = new Tls(authorities(table), clientKeys(table), flag(table, "skip_verify"));
        URI base = base(address, at, !tls.equals(Tls.DEFAULT), flag(table, "override_path"));
        return new Endpoint(
                base,
                mirror && !base.getRawAuthority().equals(RegistryHosts.serverName(domain)),
                capabilities(table),
                tls,
                headers(table),
                dialTimeout(table, mirror),
                credentials(table));
    }

    private URI base(String address, @Nullable TomlPosition at, boolean tls, boolean overridePath) {
        try {
            URI uri = new URI(address.contains("://") ? address : schemeOf(address, tls) + "://" + address);
            boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (!http || uri.getHost() == null || uri.getRawUserInfo() != null || uri.getRawQuery() != null) {
                throw wrong(file, at, "'%s' is not the address of a server".formatted(address), null);
            }
            String path = Objects.requireNonNullElse(uri.getRawPath(), "").replaceFirst("/+$", "");
            if (!overridePath && !path.endsWith("/v2")) {
                path += "/v2";
            }
            return new URI(uri.getScheme() + "://" + uri.getRawAuthority() + path);
        } catch (URISyntaxException e) {
            throw wrong(file, at, "'%s' is not the address of a server".formatted(address), e);
        }
    }

    private static String schemeOf(String address, boolean tls) {
        return RegistryHosts.defaultScheme(address.replaceFirst("/.*$", ""), tls);
    }

    private Set<Capability> capabilities(TomlTable table) {
        if (!table.contains(List.of("capabilities"))) {
            return EnumSet.allOf(Capability.class);
        }
        Set<Capability> capabilities = EnumSet.noneOf(Capability.class);
        for (String name : texts(table, "capabilities")) {
            switch (name) {
                case "pull" -> capabilities.add(Capability.PULL);
                case "resolve" -> capabilities.add(Capability.RESOLVE);
                case "push", "referrers" -> {} // nothing that a pull does
                default -> throw wrong(table, "capabilities", "has an unknown value '%s'".formatted(name));
            }
        }
        return capabilities;
    }

    private List<Path> authorities(TomlTable table) {
        return texts(table, "ca").stream().map(this::beside).toList();
    }

    /// One file with both, a list of such files, or a list of pairs of certificate and key.
    private List<ClientKey> clientKeys(TomlTable table) {
        List<ClientKey> keys = new ArrayList<>();
        if (table.isArray(List.of("client"))) {
            TomlArray clients = Objects.requireNonNull(table.getArray(List.of("client")));
            for (Object client : clients.toList()) {
                switch (client) {
                    case String both -> keys.add(new ClientKey(beside(both), beside(both)));
                    case TomlArray pair
                    when isPair(pair) -> keys.add(new ClientKey(beside(pair.getString(0)), beside(pair.getString(1))));
                    default -> throw wrong(table, "client", "must hold file names or pairs of them");
                }
            }
        } else {
            texts(table, "client").forEach(both -> keys.add(new ClientKey(beside(both), beside(both))));
        }
        return keys;
    }

    private static boolean isPair(TomlArray array) {
        return array.size() == 2 && array.toList().stream().allMatch(String.class::isInstance);
    }

    private Path beside(String name) {
        return file.resolveSibling(name);
    }

    private Map<String, List<String>> headers(TomlTable table) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        if (table.contains(List.of("header"))) {
            if (!table.isTable(List.of("header"))) {
                throw wrong(table, "header", "must be a table");
            }
            TomlTable values = Objects.requireNonNull(table.getTable(List.of("header")));
            for (String name : values.keySet()) {
                headers.put(name, texts(values, name));
            }
        }
        return headers;
    }

    private Duration dialTimeout(TomlTable table, boolean mirror) {
        String text = text(table, "dial_timeout");
        if (text.isEmpty()) {
            return mirror ? Endpoint.MIRROR_DIAL_TIMEOUT : Endpoint.DIAL_TIMEOUT;
        }
        Matcher matcher = DURATION.matcher(text);
        double seconds = matcher.matches() ? Double.parseDouble(matcher.group(1)) * secondsOf(matcher.group(2)) : 0;
        if (seconds <= 0 || seconds > 86_400) {
            throw wrong(table, "dial_timeout", "'%s' is not a duration such as 10s".formatted(text));
        }
        return Duration.ofMillis(Math.max(1, Math.round(seconds * 1000)));
    }

    private static double secondsOf(String unit) {
        return switch (unit) {
            case "ms" -> 0.001;
            case "m" -> 60;
            case "h" -> 3600;
            default -> 1;
        };
    }

    private Credentials credentials(TomlTable table) {
        return new Credentials(text(table, "username"), text(table, "password"), "", text(table, "token"), "");
    }

    private boolean flag(TomlTable table, String key) {
        if (!table.contains(List.of(key))) {
            return false;
        }
        if (!table.isBoolean(List.of(key))) {
            throw wrong(table, key, "must be true or false");
        }
        return Boolean.TRUE.equals(table.getBoolean(List.of(key)));
    }

    private String text(TomlTable table, String key) {
        if (!table.contains(List.of(key))) {
            return "";
        }
        if (!table.isString(List.of(key))) {
            throw wrong(table, key, "must be a string");
        }
        return Objects.requireNonNull(table.getString(List.of(key)));
    }

    private List<String> texts(TomlTable table, String key) {
        if (!table.contains(List.of(key))) {
            return List.of();
        }
        if (table.isString(List.of(key))) {
            return List.of(text(table, key));
        }
        List<String> texts = new ArrayList<>();
        if (table.isArray(List.of(key))) {
            for (Object value :
                    Objects.requireNonNull(table.getArray(List.of(key))).toList()) {
                if (value instanceof String text) {
                    texts.add(text);
                } else {
                    throw wrong(table, key, "must hold strings");
                }
            }
            return texts;
        }
        throw wrong(table, key, "must be a string or a list of strings");
    }

    private void refuseUnknown(TomlTable table, Set<String> known) {
        for (String key : table.keySet()) {
            if (!known.contains(key)) {
                throw wrong(table, key, "is not known");
            }
        }
    }

    private static int line(TomlTable table, String key) {
        TomlPosition position = table.inputPositionOf(List.of(key));
        return position == null ? 0 : position.line() * 10_000 + position.column();
    }

    private ImageException wrong(TomlTable table, String key, String problem) {
        return wrong(file, table.inputPositionOf(List.of(key)), key + " " + problem, null);
    }

    private static ImageException wrong(
            Path file, @Nullable TomlPosition at, String problem, @Nullable Throwable cause) {
        String where = at == null ? "" : ":%d:%d".formatted(at.line(), at.column());
        return new ImageException.BadConfiguration("%s%s: %s".formatted(file, where, problem), cause);
    }
}
