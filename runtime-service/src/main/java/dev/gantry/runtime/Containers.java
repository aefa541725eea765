package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.linux.KeyedLocks;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.storage.Kind;
import dev.gantry.storage.Ref;
import dev.gantry.storage.RootSource;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// The containers of the node.
///
/// Reads go to the store's view and never wait. Calls that change one container are serial by its id. Everything that
/// succeeds is on disk when the call returns.
public final class Containers {

    /// What the daemon opens the store with.
    public static final List<Kind<?>> KINDS = List.of(ContainerRows.KIND);

    private final ContainerParts parts;
    private final ContainerCreator creator;
    private final ContainerStarter starter;
    private final ContainerStopper stopper;

    Containers(ContainerParts parts, ContainerExits exits) {
        this.parts = parts;
        this.creator = new ContainerCreator(parts);
        this.starter = new ContainerStarter(parts, exits);
        this.stopper = new ContainerStopper(parts);
    }

    Container create(String sandbox, ContainerConfig config) {
        return creator.create(sandbox, config);
    }

    void start(String id) {
        Container container = get(id);
        try (KeyedLocks.Held _ = parts.locks().lock(container.id())) {
            starter.start(get(container.id()));
        }
    }

    void stop(String id, Duration grace) throws InterruptedException {
        Container container = find(id).orElse(null);
        if (container != null) {
            stopper.stop(container, grace);
        }
    }

    void remove(String id) throws InterruptedException {
        Container container = find(id).orElse(null);
        if (container != null) {
            stopper.remove(container);
        }
    }

    /// Done when nothing is left of any removed container.
    CompletableFuture<Void> deletions() {
        return stopper.deletions();
    }

    /// Done when nothing is left of the pod's removed containers.
    CompletableFuture<Void> deletions(SandboxId sandbox) {
        return stopper.deletions(of(sandbox));
    }

    /// The container whose id is or begins with `id`.
    Optional<Container> find(String id) {
        if (id.isEmpty()) {
            return Optional.empty();
        }
        List<Container> matches = parts.store().view().withPrefix(ContainerRows.KIND, id).stream()
                .filter(it -> it.state().isVisible())
                .toList();
        if (matches.size() > 1) {
            throw new ContainerException.Ambiguous(id);
        }
        return matches.stream().findFirst();
    }

    Container get(String id) {
        return find(id).orElseThrow(() -> new ContainerException.NotFound(id));
    }

    /// As [#get], for calls that need its process.
    LiveContainers.Live running(Container container, String attempt) {
        return Optional.of(container)
                .filter(it -> it.state() == ContainerState.RUNNING)
                .flatMap(it -> parts.live().find(it.id()))
                .orElseThrow(() -> new ContainerException.WrongState(
                        "cannot %s container %s: it does not run".formatted(attempt, container.id())));
    }

    Collection<Container> list() {
        return parts.store().view().all(ContainerRows.KIND).stream()
                .filter(it -> it.state().isVisible())
                .toList();
    }

    /// The containers of one pod, those included that clients do not see.
    List<Container> of(SandboxId sandbox) {
        return parts.store().view().all(ContainerRows.KIND).stream()
                .filter(it -> it.sandbox().equals(sandbox))
                .toList();
    }

    /// What containers keep from the garbage collector: their writable layers and so all layers below.
    public RootSource roots() {
        return view -> view.all(ContainerRows.KIND).stream().map(it -> new Ref.Snapshot(it.snapshotter(), it.id()));
    }
}
