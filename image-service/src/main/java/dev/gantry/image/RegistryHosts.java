package dev.gantry.image;

import dev.gantry.image.Endpoint.Capability;
import dev.gantry.image.Endpoint.ClientKey;
import dev.gantry.image.Endpoint.Tls;
import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;

/// Which servers stand for a registry, from folders `certs.d/<registry>/` as containerd and Docker lay them out.
///
/// The first of the given roots that has a folder for the registry decides: `host_port_`, `host:port`, or `_default`
/// for registries that have none of their own. In it is a `hosts.toml` ([HostsFile]) or, in Docker's manner, `*.crt`
/// files of authorities and `*.cert` and `*.key` of the client. Files are read anew each time, so that a change counts
/// from the next pull on.
final class RegistryHosts {

    private final List<Path> roots;

    RegistryHosts(List<Path> roots) {
        this.roots = List.copyOf(roots);
    }

    /// The servers to ask, in this order; the last one is the registry itself, unless a file has only mirrors for it.
    ///
    /// @throws ImageException.BadConfiguration naming the file and the line
    List<Endpoint> endpoints(String domain) {
        for (String name : folderNames(domain)) {
            for (Path root : roots) {
                Path folder = root.resolve(name);
                if (Files.isDirectory(folder)) {
                    Path file = folder.resolve("hosts.toml");
                    return Files.exists(file) ? HostsFile.read(file, domain) : List.of(dockerStyle(folder, domain));
                }
            }
        }
        return List.of(upstream(domain, Tls.DEFAULT));
    }

    private static List<String> folderNames(String domain) {
        int colon = domain.lastIndexOf(':');
        return colon <= domain.lastIndexOf(']')
                ? List.of(domain, "_default")
                : List.of(domain.substring(0, colon) + "_" + domain.substring(colon + 1) + "_", domain, "_default");
    }

    private static Endpoint dockerStyle(Path folder, String domain) {
        List<Path> authorities = new ArrayList<>();
        List<ClientKey> keys = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (name.endsWith(".crt")) {
                    authorities.add(file);
                } else if (name.endsWith(".cert")) {
                    String key = name.substring(0, name.length() - ".cert".length()) + ".key";
                    keys.add(new ClientKey(file, folder.resolve(key)));
                }
            }
        } catch (IOException e) {
            throw new ImageException.BadConfiguration("cannot read registry configuration " + folder, e);
        }
        return upstream(domain, new Tls(authorities, keys, false));
    }

    /// The registry itself, where no file says otherwise.
    static Endpoint upstream(String domain, Tls tls) {
        URI base = URI.create(defaultScheme(domain, !tls.equals(Tls.DEFAULT)) + "://" + serverName(domain) + "/v2");
        return new Endpoint(
                base, false, EnumSet.allOf(Capability.class), tls, Map.of(), Endpoint.DIAL_TIMEOUT, Credentials.NONE);
    }

    /// Docker Hub answers under another name than its images carry.
    static String serverName(String domain) {
        return domain.equals("docker.io") ? "registry-1.docker.io" : domain;
    }

    /// Plain HTTP never leaves the machine by default; certificates in the configuration mean that TLS is wanted.
    static String defaultScheme(String authority, boolean tlsConfigured) {
        return isLoopback(authority) && !tlsConfigured ? "http" : "https";
    }

    static boolean isLoopback(String authority) {
        int colon = authority.lastIndexOf(':');
        String host = colon > authority.lastIndexOf(']') ? authority.substring(0, colon) : authority;
        return host.equals("localhost")
                || host.equals("[::1]")
                || host.matches("127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}");
    }
}
