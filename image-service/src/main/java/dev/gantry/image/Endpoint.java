package dev.gantry.image;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// One server that a registry's images can be fetched from: the registry itself or a mirror.
///
/// @param base where its API begins, such as `https://registry.example:5000/v2`, without a slash at the end
/// @param mirror not the registry itself: it is told by `?ns=` whose images are meant, and its failure is not final
/// @param headers sent with every request to this server
/// @param credentials from the configuration file; may be empty
record Endpoint(
        URI base,
        boolean mirror,
        Set<Capability> capabilities,
        Tls tls,
        Map<String, List<String>> headers,
        Duration dialTimeout,
        Credentials credentials) {

    static final Duration DIAL_TIMEOUT = Duration.ofSeconds(15);
    static final Duration MIRROR_DIAL_TIMEOUT = Duration.ofSeconds(3);

    enum Capability {
        PULL,
        RESOLVE
    }

    /// How the server proves itself, and we to it. Paths name PEM files.
    record Tls(List<Path> authorities, List<ClientKey> clientKeys, boolean skipVerify) {

        static final Tls DEFAULT = new Tls(List.of(), List.of(), false);

        Tls {
            authorities = List.copyOf(authorities);
            clientKeys = List.copyOf(clientKeys);
        }
    }

    /// A certificate and its key, which may lie in one file.
    record ClientKey(Path certificate, Path key) {}

    Endpoint {
        capabilities = Set.copyOf(capabilities);
        headers = Map.copyOf(headers);
    }

    /// `host` or `host:port`, as a user would write it.
    String host() {
        return base.getRawAuthority();
    }

    @Override
    public String toString() {
        return host();
    }
}
