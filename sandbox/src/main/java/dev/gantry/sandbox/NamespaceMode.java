package dev.gantry.sandbox;

/// Whose namespace a pod or container lives in (CRI `NamespaceMode`, same order).
public enum NamespaceMode {
    /// One for the whole pod.
    POD,
    /// One for each container.
    CONTAINER,
    /// The host's.
    NODE,
    /// That of another container in the pod.
    TARGET
}
