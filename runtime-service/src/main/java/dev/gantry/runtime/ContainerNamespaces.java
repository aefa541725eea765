package dev.gantry.runtime;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.runtime.v1.NamespaceOption;
import dev.gantry.sandbox.NamespaceMode;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxNamespaces;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Which namespaces a container lives in: a mount namespace of its own, those of its pod, which the pause process holds
/// open, and a process namespace by request.
///
/// A container cannot leave its pod for the host: only where the pod has the host's namespace does it get it.
final class ContainerNamespaces {

    private final Function<String, Optional<Container>> containers;

    /// @param containers finds those that a container may want to share processes with, by id
    ContainerNamespaces(Function<String, Optional<Container>> containers) {
        this.containers = containers;
    }

    /// @param cgroup whether it gets a cgroup namespace of its own
    List<Linux.Namespace> of(NamespaceOption request, Sandbox sandbox, boolean cgroup) {
        SandboxNamespaces pod = sandbox.config().namespaces();
        checkShared("network", CriSandboxes.mode(request.getNetwork()), pod.network(), sandbox);
        checkShared("ipc", CriSandboxes.mode(request.getIpc()), pod.ipc(), sandbox);
        checkUsers(request, sandbox);
        List<Linux.Namespace> namespaces = new ArrayList<>();
        if (pod.users().isPresent()) {
            namespaces.add(of("user", "user", sandbox.pid()));
        }
        pid(request, sandbox).ifPresent(namespaces::add);
        if (!pod.hostIpc()) {
            namespaces.add(of("ipc", "ipc", sandbox.pid()));
        }
        if (!pod.hostNetwork()) {
            namespaces.add(of("uts", "uts", sandbox.pid()));
        }
        namespaces.add(new Linux.Namespace("mount"));
        if (!pod.hostNetwork()) {
            namespaces.add(of("network", "net", sandbox.pid()));
        }
        if (cgroup) {
            namespaces.add(new Linux.Namespace("cgroup"));
        }
        return namespaces;
    }

    private Optional<Linux.Namespace> pid(NamespaceOption request, Sandbox sandbox) {
        return switch (CriSandboxes.mode(request.getPid())) {
            case CONTAINER -> Optional.of(new Linux.Namespace("pid"));
            case TARGET -> Optional.of(of("pid", "pid", target(request.getTargetId(), sandbox)));
            case NODE -> {
                checkShared(
                        "pid", NamespaceMode.NODE, sandbox.config().namespaces().pid(), sandbox);
                yield Optional.empty();
            }
            case POD ->
                sandbox.config().namespaces().hostPid()
                        ? Optional.empty()
                        : Optional.of(of("pid", "pid", sandbox.pid()));
        };
    }

    private static void checkShared(String what, NamespaceMode wanted, NamespaceMode pods, Sandbox sandbox) {
        boolean possible = wanted == NamespaceMode.POD || (wanted == NamespaceMode.NODE && pods == NamespaceMode.NODE);
        if (!possible) {
            throw new ContainerException.InvalidRequest(
                    "%s namespace mode %s does not go with that of pod sandbox %s, which is %s"
                            .formatted(what, wanted, sandbox.id(), pods));
        }
    }

    /// A request that says nothing of users takes those of the pod.
    private static void checkUsers(NamespaceOption request, Sandbox sandbox) {
        if (request.hasUsernsOptions()
                && !CriSandboxes.users(request)
                        .equals(sandbox.config().namespaces().users())) {
            throw new ContainerException.InvalidRequest(
                    "the user namespace of a container must be that of its pod, but pod sandbox %s has %s"
                            .formatted(
                                    sandbox.id(),
                                    sandbox.config()
                                            .namespaces()
                                            .users()
                                            .map(it -> "ids %s and %s".formatted(it.users(), it.groups()))
                                            .orElse("the host's ids")));
        }
    }

    private int target(String id, Sandbox sandbox) {
        Container target = containers
                .apply(id)
                .filter(it -> it.sandbox().equals(sandbox.id()))
                .orElseThrow(() -> new ContainerException.InvalidRequest(
                        "target container \"%s\" of the pid namespace is not in pod sandbox %s"
                                .formatted(id, sandbox.id())));
        if (target.state() != ContainerState.RUNNING) {
            throw new ContainerException.WrongState(
                    "target container %s of the pid namespace does not run".formatted(target.id()));
        }
        return target.pid();
    }

    private static Linux.Namespace of(String type, String file, int pid) {
        return new Linux.Namespace(type, "/proc/%d/ns/%s".formatted(pid, file));
    }
}
