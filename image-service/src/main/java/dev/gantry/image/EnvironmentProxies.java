package dev.gantry.image;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The proxies that `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` name, as services on a node are commonly given them;
/// the JDK looks at system properties alone. This machine itself is never reached through a proxy.
final class EnvironmentProxies extends ProxySelector {

    private final Map<String, String> environment;

    EnvironmentProxies(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    static ProxySelector ofThisProcess() {
        return new EnvironmentProxies(System.getenv());
    }

    @Override
    public List<Proxy> select(URI uri) {
        String host = Optional.ofNullable(uri.getHost()).orElse("");
        if (RegistryHosts.isLoopback(host) || isExcepted(host, uri.getPort())) {
            return List.of(Proxy.NO_PROXY);
        }
        String scheme = "https".equals(uri.getScheme()) ? "https" : "http";
        return variable(scheme + "_proxy")
                .flatMap(EnvironmentProxies::proxy)
                .map(List::of)
                .orElse(List.of(Proxy.NO_PROXY));
    }

    /// `NO_PROXY` lists hosts, domains (with all below them), and `host:port`; `*` stands for everything.
    private boolean isExcepted(String host, int port) {
        for (String entry : variable("no_proxy").orElse("").split(",", -1)) {
            String name = entry.strip().toLowerCase(Locale.ROOT);
            String bare = name.startsWith("*.") ? name.substring(1) : name;
            String domain = bare.startsWith(".") ? bare : "." + bare;
            boolean matches = name.equals("*")
                    || host.equals(name)
                    || (host + ":" + port).equals(name)
                    || (!name.isEmpty() && host.endsWith(domain));
            if (matches) {
                return true;
            }
        }
        return false;
    }

    private Optional<String> variable(String name) {
        return Optional.ofNullable(environment.getOrDefault(name.toUpperCase(Locale.ROOT), environment.get(name)))
                .filter(value -> !value.isBlank());
    }

    private static Optional<Proxy> proxy(String address) {
        try {
            URI uri = URI.create(address.contains("://") ? address : "http://" + address);
            if (uri.getHost() == null) {
                return Optional.empty();
            }
            int port = uri.getPort() < 0 ? 80 : uri.getPort();
            return Optional.of(new Proxy(Proxy.Type.HTTP, new InetSocketAddress(uri.getHost(), port)));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // The request fails with the same exception; there is no second proxy to turn to.
    }
}
