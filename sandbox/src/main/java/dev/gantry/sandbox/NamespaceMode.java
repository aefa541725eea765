package dev.gantry.sandbox;

import java.util.Arrays;

/// Whose namespace a pod or container lives in (CRI `NamespaceMode`).
public enum NamespaceMode {
    /// One for the whole pod.
    POD(0),
    /// One for each container.
    CONTAINER(1),
    /// The host's.
    NODE(2),
    /// That of another container in the pod.
    TARGET(3);

    private final int number;

    NamespaceMode(int number) {
        this.number = number;
    }

    /// What stands for it in the store.
    int number() {
        return number;
    }

    static NamespaceMode of(int number) {
        return Arrays.stream(values())
                .filter(it -> it.number == number)
                .findFirst()
                .orElseThrow(
                        () -> new IllegalStateException("unknown namespace mode in a stored pod sandbox: " + number));
    }
}
