package dev.gantry.sandbox;

import static java.util.Objects.requireNonNull;

/// What the client calls a pod sandbox (CRI `PodSandboxMetadata`).
public record SandboxMetadata(String name, String namespace, String uid, int attempt) {

    public SandboxMetadata {
        requireNonNull(name, "name is null");
        requireNonNull(namespace, "namespace is null");
        requireNonNull(uid, "uid is null");
        if (name.isEmpty() || namespace.isEmpty() || uid.isEmpty()) {
            throw new SandboxException.InvalidRequest(
                    "pod sandbox metadata needs a name, a namespace and a uid, but has name \"%s\", namespace \"%s\", uid \"%s\""
                            .formatted(name, namespace, uid));
        }
    }

    /// The name that at most one sandbox of the node may have.
    public String reservedName() {
        return "%s_%s_%s_%s".formatted(name, namespace, uid, Integer.toUnsignedString(attempt));
    }
}
