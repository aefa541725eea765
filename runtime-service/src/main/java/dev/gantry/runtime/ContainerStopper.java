package dev.gantry.runtime;

import dev.gantry.linux.KeyedLocks;
import dev.gantry.linux.Signals;
import dev.gantry.sandbox.BundleFiles;
import dev.gantry.shim.Exit;
import dev.gantry.shim.ShimException;
import dev.gantry.storage.Change;
import dev.gantry.storage.Durability;
import dev.gantry.storage.Update;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Stops and removes containers (CRI `StopContainer`, `RemoveContainer`); doing so twice succeeds.
final class ContainerStopper {

    private static final Logger log = LoggerFactory.getLogger(ContainerStopper.class);
    /// A process in an uninterruptible wait may take long to die.
    private static final Duration DEATH = Duration.ofSeconds(60);

    private final ContainerParts parts;
    /// Containers whose stop signal was sent: a repeated stop waits, but does not signal again.
    private final ConcurrentHashMap.KeySetView<String, Boolean> signalled = ConcurrentHashMap.newKeySet();

    /// Deletions that go on now.
    private final ConcurrentHashMap<String, CompletableFuture<Void>> deletions = new ConcurrentHashMap<>();

    ContainerStopper(ContainerParts parts) {
        this.parts = parts;
    }

    /// Sends the stop signal, waits for at most `grace`, then kills. Waits without the container's lock, so a second
    /// stop with a shorter grace shortens the first.
    void stop(Container container, Duration grace) throws InterruptedException {
        String id = container.id();
        LiveContainers.Live live = parts.live().find(id).orElse(null);
        if (!container.state().mayRun() || live == null) {
            return;
        }
        try {
            if (grace.isPositive() && !live.exit.isDone()) {
                if (signalled.add(id)) {
                    live.signal(container.stopSignal());
                }
                if (await(live.exit, grace)) {
                    awaitRecord(id, live);
                    return;
                }
            }
            kill(container, live);
            if (!await(live.exit, DEATH)) {
                throw new ContainerException.TimedOut(
                        "container %s does not die: its processes have not ended %d s after SIGKILL; look for tasks in state D"
                                .formatted(id, DEATH.toSeconds()));
            }
            awaitRecord(id, live);
        } finally {
            if (live.exit.isDone()) {
                signalled.remove(id);
            }
        }
    }

    /// Kills the container if it still runs and removes it, but for its log.
    ///
    /// When this returns the removal is on the disk and the name is free. The files go behind the caller's
    /// back, as a large writable layer may take long; a daemon that is killed over it goes on at its next
    /// start.
    void remove(Container container) throws InterruptedException {
        stop(container, Duration.ZERO);
        String id = container.id();
        Optional<Container> removing;
        if (container.state() == ContainerState.CREATED) {
            try (KeyedLocks.Held _ = parts.locks().lock(id)) {
                removing = markRemoving(id);
            }
        } else {
            removing = markRemoving(id);
        }
        removing.ifPresent(this::startDeletion);
    }

    private void startDeletion(Container removing) {
        String id = removing.id();
        CompletableFuture<Void> deletion = CompletableFuture.runAsync(() -> deleteBehind(removing), parts.exits());
        deletions.put(id, deletion);
        var _ = deletion.whenComplete((_, _) -> deletions.remove(id, deletion));
    }

    /// Nothing but its removal changes a container that has ended, so for such the lock is not needed.
    private Optional<Container> markRemoving(String id) {
        return parts.store().update(view -> {
            Container container = view.find(ContainerRows.KIND, id).orElse(null);
            if (container == null || !container.state().isVisible()) {
                return Update.nothing(Optional.empty());
            }
            if (container.state().mayRun()) {
                throw new ContainerException.WrongState(
                        "cannot remove container %s: it was started meanwhile".formatted(id));
            }
            Container removing = container.in(ContainerState.REMOVING);
            return Update.of(Change.empty().put(ContainerRows.KIND, removing), Optional.of(removing));
        });
    }

    /// What cannot be deleted shows up again, so that the client removes it again.
    private void deleteBehind(Container removing) {
        String id = removing.id();
        try (KeyedLocks.Held _ = parts.locks().lock(id)) {
            delete(removing);
        } catch (RuntimeException e) {
            log.atWarn()
                    .addKeyValue("container", id)
                    .setCause(e)
                    .log("cannot delete a removed container; it is listed again");
            parts.store().commit(Change.empty().put(ContainerRows.KIND, removing.in(ContainerState.EXITED)));
        }
    }

    /// Done when the files of these containers are gone, as far as their removal has begun.
    CompletableFuture<Void> deletions(Collection<Container> containers) {
        return CompletableFuture.allOf(containers.stream()
                .map(it -> deletions.get(it.id()))
                .filter(Objects::nonNull)
                .toArray(CompletableFuture<?>[]::new));
    }

    /// As [#deletions(Collection)], of all containers.
    CompletableFuture<Void> deletions() {
        return CompletableFuture.allOf(deletions.values().toArray(CompletableFuture<?>[]::new));
    }

    /// The deletion itself, each step of which can be repeated.
    void delete(Container removing) {
        String id = removing.id();
        BundleFiles.delete(parts.bundle(id));
        parts.specs().delete(id);
        parts.snapshotters().get(removing.snapshotter()).remove(id);
        parts.store().commit(Change.empty().delete(ContainerRows.KIND, id), Durability.BUFFERED);
        log.atDebug().addKeyValue("container", id).log("container deleted");
    }

    /// With the first process the rest dies too: with its pid namespace, or by the shim where that is shared.
    private static void kill(Container container, LiveContainers.Live live) {
        if (live.signal(Signals.KILL)) {
            return;
        }
        try {
            live.shim.kill(container.id(), Optional.empty(), Signals.KILL, true);
        } catch (ShimException.NotFound _) {
            // It has just ended.
        } catch (ShimException.Unavailable e) {
            log.atDebug().addKeyValue("container", container.id()).setCause(e).log("no shim to send a signal through");
        }
    }

    private static boolean await(CompletableFuture<Exit> exit, Duration time) throws InterruptedException {
        try {
            exit.get(time.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException _) {
            return false;
        } catch (ExecutionException _) {
            return true; // The shim is gone; the record tells what became of the container.
        }
    }

    private static void awaitRecord(String id, LiveContainers.Live live) throws InterruptedException {
        try {
            live.ended.get(DEATH.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new ContainerException.Failed("the end of container %s was not recorded in time".formatted(id), e);
        } catch (ExecutionException e) {
            throw new ContainerException.Failed("the end of container %s could not be recorded".formatted(id), e);
        }
    }
}
