package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// The annotations of a container's OCI spec.
///
/// OCI runtimes and shims obey annotations, some of which run commands on the host (CVE-2024-3154, CVE-2023-6476). So
/// those of pods and containers reach them only by the handler's list of globs, and those of images never
/// (CVE-2026-53488).
final class ContainerAnnotations {

    /// Names that we say ourselves; nobody else may.
    private static final String OWN = "io.kubernetes.cri.";
    /// Names with power over the host or the runtime; a glob must begin with theirs to let them through.
    private static final List<String> POWERFUL = List.of("org.systemd.property.", "org.criu.", "run.oci.");

    /// They are kept in memory and sent with every list.
    private static final int MAX_SIZE = 1 << 20;

    private ContainerAnnotations() {}

    /// @throws ContainerException.InvalidRequest when labels and annotations are more than a node should carry
    static void checkSize(ContainerConfig config) {
        long size = size(config.getLabelsMap()) + size(config.getAnnotationsMap());
        if (size > MAX_SIZE) {
            throw new ContainerException.InvalidRequest(
                    "labels and annotations have %d characters together, more than %d".formatted(size, MAX_SIZE));
        }
    }

    private static long size(Map<String, String> texts) {
        return texts.entrySet().stream()
                .mapToLong(it -> it.getKey().length() + (long) it.getValue().length())
                .sum();
    }

    static Map<String, String> of(ContainerConfig config, Sandbox sandbox, List<String> allowed) {
        Map<String, String> annotations = new LinkedHashMap<>();
        addAllowed(annotations, sandbox.config().annotations(), allowed);
        addAllowed(annotations, config.getAnnotationsMap(), allowed);
        annotations.putAll(SandboxSpec.podAnnotations(sandbox));
        annotations.put(OWN + "container-type", "container");
        annotations.put(OWN + "container-name", config.getMetadata().getName());
        annotations.put(OWN + "image-name", imageName(config.getImage()));
        return annotations;
    }

    /// The name by which the user chose the image: the kubelet itself names images by their ids.
    static String imageName(ImageSpec image) {
        return image.getUserSpecifiedImage().isEmpty() ? image.getImage() : image.getUserSpecifiedImage();
    }

    private static void addAllowed(Map<String, String> to, Map<String, String> from, List<String> allowed) {
        from.forEach((name, value) -> {
            if (allowed.stream().anyMatch(glob -> allows(glob, name))) {
                to.put(name, value);
            }
        });
    }

    static boolean allows(String glob, String name) {
        return matches(glob, name)
                && !name.startsWith(OWN)
                && POWERFUL.stream().allMatch(it -> !name.startsWith(it) || glob.startsWith(it));
    }

    /// `*` stands for any characters but a slash, `?` for one such.
    private static boolean matches(String glob, String name) {
        StringBuilder pattern = new StringBuilder();
        for (int i = 0; i < glob.length(); i++) {
            char c = glob.charAt(i);
            switch (c) {
                case '*' -> pattern.append("[^/]*");
                case '?' -> pattern.append("[^/]");
                default -> pattern.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.matches(pattern.toString(), name);
    }
}
