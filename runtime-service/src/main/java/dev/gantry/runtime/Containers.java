package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.linux.KeyedLocks;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.storage.Kind;
import dev.gantry.storage.Ref;
import dev.gantry.storage.RootSource;
import dev.gantry.storage.VisibleRows;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

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
    private final ContainerUpdater updater;
    private final ContainerEvents events;
    private final LateResults<Container> late;
    private final VisibleRows<Container> rows;

    /// @param keepLate how long a container waits for the retry of a client that went before it was made
    Containers(ContainerParts parts, ContainerExits exits, ContainerEvents events, Duration keepLate) {
        this.parts = parts;
        this.events = events;
        this.creator = new ContainerCreator(parts);
        this.starter = new ContainerStarter(parts, exits);
        this.stopper = new ContainerStopper(parts);
        this.updater = new ContainerUpdater(parts);
        this.rows = new VisibleRows<>(
                parts.store(), ContainerRows.KIND, it -> it.state().isVisible());
        this.late = new LateResults<>(new Unclaimed(), ContainerException.NameTaken::new, keepLate, parts.exits());
    }

    /// @throws ContainerException.NameTaken when another container of the pod has its name and attempt
    Container create(String sandbox, ContainerConfig config) throws InterruptedException {
        // What was made late for a pod that has ended since is of no use, or has gone with it.
        var _ = creator.ready(sandbox, config);
        ContainerMetadata metadata = config.getMetadata();
        String name = "container %s (attempt %s) of pod sandbox %s"
                .formatted(metadata.getName(), Integer.toUnsignedString(metadata.getAttempt()), sandbox);
        return late.get(name, SameContainer.of(sandbox, config), before -> creator.create(sandbox, config, before));
    }

    /// Containers whose clients do not know of them yet.
    private final class Unclaimed implements LateResults.Handling<Container> {

        @Override
        public void hide(Container container) {
            rows.hide(container.id());
            events.hide(container.id());
        }

        @Override
        public void show(Container container) {
            rows.show(container.id());
            events.show(container.id());
        }

        @Override
        public void discard(Container container) throws InterruptedException {
            stopper.remove(container);
        }

        @Override
        public void forget(Container container) {
            rows.show(container.id());
            events.forget(container.id());
        }
    }

    void start(String id) {
        Container container = get(id);
        try (KeyedLocks.Held _ = parts.locks().lock(container.id())) {
            starter.start(get(container.id()));
        }
    }

    /// Changes what the request names of its limits.
    void update(String id, LinuxContainerResources change) {
        Container container = get(id);
        try (KeyedLocks.Held _ = parts.locks().lock(container.id())) {
            updater.update(get(container.id()), change);
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

    /// As the calls for clients, also for containers that these do not see.
    void stop(Container container) throws InterruptedException {
        stopper.stop(container, Duration.ZERO);
    }

    void remove(Container container) throws InterruptedException {
        stopper.remove(container);
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
                .filter(rows::isVisible)
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

    /// All that clients may see; the same object until they are others.
    List<Container> list() {
        return rows.list();
    }

    /// The containers of one pod, those included that clients do not see.
    List<Container> of(SandboxId sandbox) {
        return parts.store().view().all(ContainerRows.KIND).stream()
                .filter(it -> it.sandbox().equals(sandbox))
                .toList();
    }

    /// The containers of one pod that clients see.
    List<Container> visible(SandboxId sandbox) {
        return of(sandbox).stream().filter(rows::isVisible).toList();
    }

    /// What containers keep from the garbage collector: their writable layers and so all layers below, and the images
    /// that they have as volumes.
    public RootSource roots() {
        return view -> view.all(ContainerRows.KIND).stream()
                .flatMap(it -> Stream.concat(
                        Stream.of(new Ref.Snapshot(it.snapshotter(), it.id())),
                        it.images().stream().flatMap(image -> image.references(it.snapshotter()).stream())));
    }
}
