package dev.gantry.sandbox;

import java.util.Optional;

/// Which of the host's namespaces a pod keeps, and which are its own (CRI `NamespaceOption` of a sandbox).
///
/// @param users the ids of a pod with a user namespace of its own
public record SandboxNamespaces(NamespaceMode network, NamespaceMode pid, NamespaceMode ipc, Optional<UserIds> users) {

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
        if (users.isPresent() && (pid == NamespaceMode.NODE || ipc == NamespaceMode.NODE)) {
            throw new SandboxException.InvalidRequest(
                    "a pod with a user namespace of its own cannot use the host's pid or ipc namespace: it could not"
                            + " mount what belongs to those");
        }
    }

    /// Of a pod whose users are the host's.
    public SandboxNamespaces(NamespaceMode network, NamespaceMode pid, NamespaceMode ipc) {
        this(network, pid, ipc, Optional.empty());
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
