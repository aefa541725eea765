package dev.gantry.sandbox;

/// Which of the host's namespaces a pod keeps, and which are its own (CRI `NamespaceOption` of a sandbox).
public record SandboxNamespaces(NamespaceMode network, NamespaceMode pid, NamespaceMode ipc) {

    public static final SandboxNamespaces OWN =
            new SandboxNamespaces(NamespaceMode.POD, NamespaceMode.CONTAINER, NamespaceMode.POD);

    public SandboxNamespaces {
        if (network != NamespaceMode.POD && network != NamespaceMode.NODE) {
            throw new SandboxException.InvalidRequest("a pod's network namespace is POD or NODE, not " + network);
        }
        if (ipc != NamespaceMode.POD && ipc != NamespaceMode.NODE) {
            throw new SandboxException.InvalidRequest("a pod's ipc namespace is POD or NODE, not " + ipc);
        }
        if (pid == NamespaceMode.TARGET) {
            throw new SandboxException.InvalidRequest("a pod's pid namespace cannot be TARGET: only a container's can");
        }
    }

    public boolean hostNetwork() {
        return network == NamespaceMode.NODE;
    }

    public boolean hostPid() {
        return pid == NamespaceMode.NODE;
    }

    public boolean hostIpc() {
        return ipc == NamespaceMode.NODE;
    }
}
