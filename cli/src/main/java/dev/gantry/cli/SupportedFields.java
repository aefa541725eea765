package dev.gantry.cli;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/// The fields of a pod that `gantry run` carries out, `[]` for any position in a list and `*` for
/// any key of a map. Whatever is not in this table is refused by name.
final class SupportedFields {

    private static final String TABLE = """
            apiVersion
            kind
            metadata.name
            metadata.namespace
            metadata.labels.*
            metadata.annotations.*
            spec.restartPolicy Always OnFailure Never
            spec.terminationGracePeriodSeconds
            spec.runtimeClassName
            spec.hostname
            spec.hostNetwork
            spec.hostPID
            spec.hostIPC
            spec.shareProcessNamespace
            spec.dnsPolicy Default None
            spec.dnsConfig.nameservers[]
            spec.dnsConfig.searches[]
            spec.dnsConfig.options[].name
            spec.dnsConfig.options[].value
            spec.enableServiceLinks false
            spec.automountServiceAccountToken false
            spec.serviceAccountName default
            spec.serviceAccount default
            spec.schedulerName default-scheduler
            spec.priority 0
            spec.securityContext.runAsUser
            spec.securityContext.runAsGroup
            spec.securityContext.runAsNonRoot
            spec.securityContext.supplementalGroups[]
            spec.securityContext.supplementalGroupsPolicy Merge Strict
            spec.securityContext.sysctls[].name
            spec.securityContext.sysctls[].value
            spec.securityContext.seccompProfile.type RuntimeDefault Unconfined Localhost
            spec.securityContext.seccompProfile.localhostProfile
            spec.volumes[].name
            spec.volumes[].emptyDir.medium Memory
            spec.volumes[].emptyDir.sizeLimit
            spec.volumes[].hostPath.path
            spec.volumes[].hostPath.type
            C.name
            C.image
            C.imagePullPolicy Always IfNotPresent Never
            C.command[]
            C.args[]
            C.workingDir
            C.stdin
            C.stdinOnce
            C.tty
            C.env[].name
            C.env[].value
            C.env[].valueFrom.fieldRef.apiVersion v1
            C.env[].valueFrom.fieldRef.fieldPath
            C.ports[].name
            C.ports[].containerPort
            C.ports[].hostPort
            C.ports[].hostIP
            C.ports[].protocol TCP UDP SCTP
            C.volumeMounts[].name
            C.volumeMounts[].mountPath
            C.volumeMounts[].readOnly
            C.volumeMounts[].mountPropagation None HostToContainer Bidirectional
            C.resources.requests.cpu
            C.resources.requests.memory
            C.resources.limits.cpu
            C.resources.limits.memory
            C.securityContext.runAsUser
            C.securityContext.runAsGroup
            C.securityContext.runAsNonRoot
            C.securityContext.privileged
            C.securityContext.allowPrivilegeEscalation
            C.securityContext.readOnlyRootFilesystem
            C.securityContext.procMount Default Unmasked
            C.securityContext.capabilities.add[]
            C.securityContext.capabilities.drop[]
            C.securityContext.seccompProfile.type RuntimeDefault Unconfined Localhost
            C.securityContext.seccompProfile.localhostProfile
            """;

    private static final Set<String> KNOWN = new HashSet<>();
    private static final Map<String, Set<String>> VALUES = new HashMap<>();

    static {
        TABLE.lines().forEach(line -> {
            if (line.startsWith("C.")) {
                add("spec.containers[]" + line.substring(1));
                add("spec.initContainers[]" + line.substring(1));
            } else {
                add(line);
            }
        });
    }

    private SupportedFields() {}

    private static void add(String line) {
        String[] words = line.split(" ", -1);
        String path = words[0];
        if (words.length > 1) {
            Set<String> values = new LinkedHashSet<>();
            for (int i = 1; i < words.length; i++) {
                values.add(words[i]);
            }
            VALUES.put(path, values);
        }
        for (String above = path; !above.isEmpty(); above = parent(above)) {
            KNOWN.add(above);
        }
    }

    private static String parent(String path) {
        if (path.endsWith("[]")) {
            return path.substring(0, path.length() - 2);
        }
        return path.substring(0, Math.max(0, path.lastIndexOf('.')));
    }

    /// Whether the field, or something below it, can be carried out.
    static boolean knows(String pattern) {
        return KNOWN.contains(pattern);
    }

    /// The values that a field can have; empty if it can have any.
    static Set<String> allowedValues(String pattern) {
        return VALUES.getOrDefault(pattern, Set.of());
    }
}
