package dev.gantry.cli;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The fields of a pod that `env[].valueFrom.fieldRef` can name.
final class FieldReferences {

    private static final Pattern KEYED = Pattern.compile("metadata\\.(labels|annotations)\\['([^']+)'\\]");

    private final ObjectMeta metadata;
    private final String uid;
    private final String podIp;

    FieldReferences(ObjectMeta metadata, String uid, String podIp) {
        this.metadata = metadata;
        this.uid = uid;
        this.podIp = podIp;
    }

    static boolean supported(String path) {
        return switch (path) {
            case "metadata.name", "metadata.namespace", "metadata.uid", "status.podIP" -> true;
            default -> KEYED.matcher(path).matches();
        };
    }

    /// The value of a supported path; a label that the pod does not have is empty, as in Kubernetes.
    String value(String path) {
        return switch (path) {
            case "metadata.name" -> metadata.getName();
            case "metadata.namespace" -> metadata.getNamespace();
            case "metadata.uid" -> uid;
            case "status.podIP" -> podIp;
            default -> keyed(path);
        };
    }

    private String keyed(String path) {
        Matcher matcher = KEYED.matcher(path);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("not a field that can be referred to: " + path);
        }
        Map<String, String> map = matcher.group(1).equals("labels") ? metadata.getLabels() : metadata.getAnnotations();
        return Optional.ofNullable(map).orElse(Map.of()).getOrDefault(matcher.group(2), "");
    }
}
