package dev.gantry.sandbox;

import dev.gantry.cni.SavedAttachment;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.KeyedLocks;
import dev.gantry.shim.Shim;
import dev.gantry.storage.Change;
import dev.gantry.storage.Commit;
import dev.gantry.storage.Kind;
import dev.gantry.storage.Ref;
import dev.gantry.storage.RootSource;
import dev.gantry.storage.View;
import dev.gantry.storage.VisibleRows;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The pod sandboxes of the node.
///
/// Reads go to the store's view and never wait. Calls that change one sandbox are serial by its id. Everything that
/// succeeds is on disk when the call returns.
public final class Sandboxes {

    private static final Logger log = LoggerFactory.getLogger(Sandboxes.class);

    /// What the daemon opens the store with.
    public static final List<Kind<?>> KINDS = List.of(SandboxRows.KIND, StoredNetworkJournal.KIND);

    private final SandboxParts parts;
    private final SandboxStarter starter;
    private final SandboxStopper stopper;
    private final KeyedLocks locks = new KeyedLocks();
    private final VisibleRows<Sandbox> rows;
    /// Deletions that go on now.
    private final ConcurrentHashMap<SandboxId, CompletableFuture<Void>> deletions = new ConcurrentHashMap<>();

    public Sandboxes(SandboxParts parts) {
        this.parts = parts;
        this.starter = new SandboxStarter(parts);
        this.stopper = new SandboxStopper(parts);
        this.rows = new VisibleRows<>(
                parts.store(), SandboxRows.KIND, it -> it.state().isVisible());
    }

    /// Finds again what ran before the daemon was started, and finishes or undoes what was cut off. Call it once,
    /// before the first client.
    public void recover() {
        new SandboxRecovery(parts, this, stopper).run();
    }

    /// Makes a sandbox and starts its pause container.
    ///
    /// @param handler the runtime handler's name; empty means the default
    /// @param made    gets the sandbox right before clients can see it
    /// @throws SandboxException.NameTaken when a sandbox of that name, namespace, uid and attempt exists
    public Sandbox run(SandboxConfig config, String handler, Consumer<Sandbox> made) {
        Sandbox sandbox = starter.run(config, handler, made);
        watch(sandbox);
        return sandbox;
    }

    /// Changes the pod's limits, where its cgroup is ours; elsewhere they are only kept. What a change leaves out
    /// stays, and so does everything when this fails.
    public void update(String id, Optional<LinuxResources> overhead, Optional<LinuxResources> resources) {
        SandboxId found = get(id).id();
        try (KeyedLocks.Held _ = locks.lock(found.value())) {
            Sandbox sandbox = stored(found).orElseThrow(() -> new SandboxException.NotFound(id));
            if (sandbox.state() != SandboxState.READY) {
                throw new SandboxException.WrongState(
                        "cannot update the resources of pod sandbox %s: it is %s".formatted(found, sandbox.state()));
            }
            Sandbox updated = sandbox.configured(sandbox.config().limited(overhead, resources));
            try {
                parts.cgroups().limit(updated);
            } catch (ErrnoException e) {
                throw new SandboxException.Failed("cannot update the resources of pod sandbox " + found, e);
            }
            try {
                parts.store().commit(Change.empty().put(SandboxRows.KIND, updated));
            } catch (RuntimeException e) {
                parts.cgroups().limit(sandbox);
                throw e;
            }
        }
    }

    /// Stops the sandbox; its containers must be stopped already. Stopping twice, or what is gone, succeeds.
    public void stop(SandboxId id) throws InterruptedException {
        try (KeyedLocks.Held _ = locks.lock(id.value())) {
            Sandbox sandbox = stored(id).orElse(null);
            if (sandbox != null && sandbox.state().isVisible()) {
                stopper.stop(sandbox);
            }
        }
    }

    /// Stops the sandbox if need be and removes it; its containers must be removed already. Removing what is gone
    /// succeeds.
    ///
    /// When this returns the removal is on the disk and the name is free; the files go behind the caller's back.
    ///
    /// @param containersGone done when nothing is left of its containers, so that the shim has no more of them
    public void remove(SandboxId id, CompletableFuture<Void> containersGone) throws InterruptedException {
        Sandbox removing;
        try (KeyedLocks.Held _ = locks.lock(id.value())) {
            Sandbox sandbox = stored(id).orElse(null);
            if (sandbox == null || !sandbox.state().isVisible()) {
                return;
            }
            removing = stopper.markRemoving(stopper.stop(sandbox));
        }
        CompletableFuture<Void> deletion = containersGone.handleAsync((_, _) -> deleteBehind(removing), parts.steps());
        deletions.put(id, deletion);
        var _ = deletion.whenComplete((_, _) -> deletions.remove(id, deletion));
    }

    private @Nullable Void deleteBehind(Sandbox removing) {
        stopper.deleteOrShow(removing);
        return null;
    }

    /// Waits until what was removed is deleted, or the time is up; for a daemon that ends, while it still has its
    /// shims. What is not finished goes on at the next start.
    public void finishDeletions(Duration limit) throws InterruptedException {
        try {
            CompletableFuture.allOf(deletions.values().toArray(CompletableFuture<?>[]::new))
                    .get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            log.atWarn().setCause(e).log("removed pods are not deleted yet; that goes on at the next start");
        }
    }

    /// The sandbox whose id is or begins with `id`.
    ///
    /// @throws SandboxException.Ambiguous when several do
    public Optional<Sandbox> find(String id) {
        if (id.isEmpty()) {
            return Optional.empty();
        }
        List<Sandbox> matches = parts.store().view().withPrefix(SandboxRows.KIND, id).stream()
                .filter(rows::isVisible)
                .toList();
        if (matches.size() > 1) {
            throw new SandboxException.Ambiguous(id);
        }
        return matches.stream().findFirst();
    }

    /// Keeps a sandbox from [#find] and [#list], whose client does not know of it yet. Its name stays taken.
    public void hide(SandboxId id) {
        rows.hide(id.value());
    }

    /// Ends [#hide].
    public void show(SandboxId id) {
        rows.show(id.value());
    }

    /// As [#find], for callers that need it.
    public Sandbox get(String id) {
        return find(id).orElseThrow(() -> new SandboxException.NotFound(id));
    }

    /// All sandboxes that clients may see; the same object until they are others.
    public List<Sandbox> list() {
        return rows.list();
    }

    /// What a commit to the store did to sandboxes.
    public static List<Commit.Changed<Sandbox>> changes(Commit commit) {
        return commit.changes(SandboxRows.KIND);
    }

    /// A sandbox as it was at one moment, whether clients see it or not.
    public static Optional<Sandbox> in(View view, SandboxId id) {
        return view.find(SandboxRows.KIND, id.value());
    }

    /// The pod's shim, for the containers that join it.
    ///
    /// @throws SandboxException.WrongState when the pod does not run
    public Shim shim(Sandbox sandbox) {
        return parts.podShims()
                .find(sandbox.id())
                .orElseThrow(() -> new SandboxException.WrongState(
                        "pod sandbox %s has no shim: it does not run any more".formatted(sandbox.id())));
    }

    public Optional<Shim> findShim(SandboxId id) {
        return parts.podShims().find(id);
    }

    public PodFiles files(SandboxId id) {
        return parts.places().files(id);
    }

    /// What the network's plugins answered for the pod, as JSON; empty in the host's network and when it was taken off.
    public Optional<byte[]> networkResult(SandboxId id) {
        return parts.store().view().find(StoredNetworkJournal.KIND, id.value()).flatMap(SavedAttachment::result);
    }

    /// The pin of the pod's network namespace.
    public Path networkNamespace(SandboxId id) {
        return parts.places().networkNamespace(id);
    }

    /// Makes an empty directory that the containers of the pod can mount; it goes with the pod.
    public Path createVolume(SandboxId id, String name, boolean inMemory, long sizeLimit) {
        try (KeyedLocks.Held _ = locks.lock(id.value())) {
            Sandbox sandbox = stored(id).orElseThrow(() -> new SandboxException.NotFound(id.value()));
            if (sandbox.state() != SandboxState.READY) {
                throw new SandboxException.WrongState(
                        "cannot make volume %s: pod sandbox %s does not run".formatted(name, id));
            }
            return parts.places()
                    .files(id)
                    .createVolume(
                            name, inMemory, sizeLimit, parts.specs().selinux().files(sandbox.label()));
        }
    }

    /// What sandboxes keep from the garbage collector: their snapshots and the image under them.
    public RootSource roots() {
        return view -> view.all(SandboxRows.KIND).stream()
                .map(it -> new Ref.Snapshot(it.snapshotter(), it.id().value()));
    }

    private Optional<Sandbox> stored(SandboxId id) {
        return parts.store().view().find(SandboxRows.KIND, id.value());
    }

    /// When the pause container dies on its own, the sandbox is not ready any more; its owner then stops it.
    void watch(Sandbox sandbox) {
        String id = sandbox.id().value();
        parts.podShims().find(sandbox.id()).ifPresent(shim -> {
            var _ = shim.wait(id, Optional.empty())
                    .whenCompleteAsync((_, failure) -> pauseEnded(sandbox.id(), failure), parts.steps());
        });
    }

    private void pauseEnded(SandboxId id, @Nullable Throwable failure) {
        if (failure != null && parts.shims().isClosed()) {
            return; // The daemon is going, the pod is not.
        }
        try (KeyedLocks.Held _ = locks.lock(id.value())) {
            stored(id)
                    .filter(it -> it.state() == SandboxState.READY)
                    .ifPresent(it ->
                            parts.store().commit(Change.empty().put(SandboxRows.KIND, it.in(SandboxState.STOPPING))));
        }
    }
}
