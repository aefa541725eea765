package dev.gantry.sandbox;

import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// Which kernel parameters a pod may set: those that a namespace of its own holds.
///
/// Anything else would change the host (CVE-2022-0532, CVE-2022-0811), so it is refused before a process sees it.
final class Sysctls {

    private static final Pattern KEY = Pattern.compile("[a-zA-Z0-9_-]+([./][a-zA-Z0-9_@:-]+)+");
    private static final Set<String> IPC = Set.of(
            "kernel.msgmax",
            "kernel.msgmnb",
            "kernel.msgmni",
            "kernel.sem",
            "kernel.shmall",
            "kernel.shmmax",
            "kernel.shmmni",
            "kernel.shm_rmid_forced");

    private Sysctls() {}

    static Map<String, String> checked(Map<String, String> sysctls, SandboxNamespaces namespaces) {
        sysctls.forEach((key, value) -> check(key, value, namespaces));
        return Map.copyOf(sysctls);
    }

    private static void check(String key, String value, SandboxNamespaces namespaces) {
        if (!KEY.matcher(key).matches() || value.chars().anyMatch(c -> c < ' ' && c != '\t')) {
            throw new SandboxException.InvalidRequest("sysctl \"%s=%s\" is malformed".formatted(key, value));
        }
        String name = dotted(key);
        if (name.startsWith("net.")) {
            require(!namespaces.hostNetwork(), key, "network");
        } else if (IPC.contains(name) || name.startsWith("fs.mqueue.")) {
            require(!namespaces.hostIpc(), key, "ipc");
        } else if (!name.equals("kernel.domainname")) {
            throw new SandboxException.InvalidRequest(
                    "sysctl \"%s\" is not held by a namespace: a pod may set net.*, fs.mqueue.*, kernel.shm*, kernel.msg*, kernel.sem and kernel.domainname"
                            .formatted(key));
        }
    }

    private static void require(boolean own, String key, String namespace) {
        if (!own) {
            throw new SandboxException.InvalidRequest(
                    "sysctl \"%s\" would change the host: the pod uses the host's %s namespace"
                            .formatted(key, namespace));
        }
    }

    /// Whether a parameter belongs to one interface of the pod, so that it can only be set once that exists.
    static boolean namesInterface(String key) {
        String[] parts = dotted(key).split("\\.", 5);
        return parts.length >= 5
                && parts[0].equals("net")
                && (parts[2].equals("conf") || parts[2].equals("neigh"))
                && !parts[3].equals("all")
                && !parts[3].equals("default")
                && !parts[3].equals("lo");
    }

    /// sysctl(8) accepts `net/ipv4/conf/eth0.1/forwarding` for names whose parts hold dots.
    private static String dotted(String key) {
        int slash = key.indexOf('/');
        int dot = key.indexOf('.');
        return slash >= 0 && (dot < 0 || slash < dot)
                ? key.replace('.', '\0').replace('/', '.').replace('\0', '/')
                : key;
    }
}
