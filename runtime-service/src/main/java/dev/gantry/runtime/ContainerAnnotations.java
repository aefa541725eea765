package dev.gantry.runtime;

import com.google.protobuf.ByteString;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.sandbox.AllowedAnnotations;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxSpec;
import java.util.LinkedHashMap;
import java.util.Map;

/// The annotations of a container's OCI spec.
///
/// OCI runtimes and shims obey annotations, some of which run commands on the host (CVE-2024-3154, CVE-2023-6476). So
/// those of pods and containers reach them only by the handler's list of globs, and those of images never
/// (CVE-2026-53488).
final class ContainerAnnotations {

    /// Names that we say ourselves; nobody else may.
    private static final String OWN = "io.kubernetes.cri.";

    /// They are kept in memory and sent with every list.
    private static final int MAX_SIZE = 1 << 20;

    private ContainerAnnotations() {}

    /// @throws ContainerException.InvalidRequest when labels and annotations are more than a node should carry
    static void checkSize(Map<String, String> labels, Map<String, String> annotations) {
        long size = size(labels) + size(annotations);
        if (size > MAX_SIZE) {
            throw new ContainerException.InvalidRequest(
                    "labels and annotations have %d bytes together, more than %d".formatted(size, MAX_SIZE));
        }
    }

    private static long size(Map<String, String> texts) {
        return texts.entrySet().stream()
                .mapToLong(it -> size(it.getKey()) + size(it.getValue()))
                .sum();
    }

    /// As a message has it.
    private static long size(String text) {
        return ByteString.copyFromUtf8(text).size();
    }

    static Map<String, String> of(ContainerConfig config, Sandbox sandbox, RuntimeHandler handler) {
        Map<String, String> annotations =
                new LinkedHashMap<>(AllowedAnnotations.of(sandbox.config().annotations(), handler.podAnnotations()));
        annotations.putAll(AllowedAnnotations.of(config.getAnnotationsMap(), handler.containerAnnotations()));
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
}
