package dev.gantry.sandbox;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a client asked a pod sandbox to be (CRI `PodSandboxConfig`).
///
/// @param logDirectory absolute, or empty when the pod keeps no logs
/// @param cgroupParent a cgroup path (cgroupfs) or slice (systemd); empty means the daemon's own
public record SandboxConfig(
        SandboxMetadata metadata,
        String hostname,
        String logDirectory,
        DnsConfig dns,
        List<PodPort> ports,
        Map<String, String> labels,
        Map<String, String> annotations,
        String cgroupParent,
        Map<String, String> sysctls,
        SandboxSecurity security,
        Optional<LinuxResources> overhead,
        Optional<LinuxResources> resources) {

    /// Linux's own limit (`__NEW_UTS_LEN`).
    private static final int MAX_HOSTNAME = 64;

    public SandboxConfig {
        requireNonNull(metadata, "metadata is null");
        ports = List.copyOf(ports);
        labels = Map.copyOf(labels);
        annotations = Map.copyOf(annotations);
        sysctls = Sysctls.checked(sysctls, security.namespaces());
        if (!logDirectory.isEmpty() && !logDirectory.startsWith("/")) {
            throw new SandboxException.InvalidRequest("log directory \"%s\" is not absolute".formatted(logDirectory));
        }
        if (hostname.length() > MAX_HOSTNAME || hostname.chars().anyMatch(c -> c <= ' ' || c == '/')) {
            throw new SandboxException.InvalidRequest(
                    "hostname \"%s\" is longer than %d characters or holds white space or a slash"
                            .formatted(hostname, MAX_HOSTNAME));
        }
    }

    /// As this, with changed limits; what is empty stays.
    SandboxConfig limited(Optional<LinuxResources> overheadChange, Optional<LinuxResources> resourcesChange) {
        return new SandboxConfig(
                metadata,
                hostname,
                logDirectory,
                dns,
                ports,
                labels,
                annotations,
                cgroupParent,
                sysctls,
                security,
                updated(overhead, overheadChange),
                updated(resources, resourcesChange));
    }

    private static Optional<LinuxResources> updated(Optional<LinuxResources> present, Optional<LinuxResources> change) {
        return change.map(it -> present.orElse(LinuxResources.NONE).updated(it)).or(() -> present);
    }

    public SandboxNamespaces namespaces() {
        return security.namespaces();
    }
}
