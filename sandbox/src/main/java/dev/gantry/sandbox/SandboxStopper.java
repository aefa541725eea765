package dev.gantry.sandbox;

import dev.gantry.linux.NetworkNamespaces;
import dev.gantry.linux.Signals;
import dev.gantry.shim.Bundle;
import dev.gantry.shim.Shim;
import dev.gantry.shim.ShimException;
import dev.gantry.storage.Change;
import dev.gantry.storage.Durability;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes pod sandboxes down (CRI `StopPodSandbox`, `RemovePodSandbox`). Each step can be repeated, so a call that was
/// cut off is simply made again. The caller holds the sandbox's lock.
final class SandboxStopper {

    private static final Logger log = LoggerFactory.getLogger(SandboxStopper.class);
    private static final Duration DEATH = Duration.ofSeconds(10);

    private final SandboxParts parts;

    SandboxStopper(SandboxParts parts) {
        this.parts = parts;
    }

    /// Kills the pause container and takes the network down, side by side; what has stopped stays stopped.
    Sandbox stop(Sandbox sandbox) throws InterruptedException {
        if (sandbox.state() == SandboxState.STOPPED) {
            return sandbox;
        }
        Timeline timeline = new Timeline();
        Sandbox stopping = intend(sandbox.in(SandboxState.STOPPING));
        Future<?> network = parts.steps().submit(() -> timeline.run("network", () -> releaseNetwork(stopping)));
        RuntimeException failure = null;
        try {
            timeline.run("kill", () -> killPause(stopping));
            timeline.run("unmount", () -> parts.places().files(sandbox.id()).unmount());
        } catch (RuntimeException e) {
            failure = e;
        }
        try {
            network.get();
        } catch (ExecutionException e) {
            RuntimeException ofNetwork = new SandboxException.Failed(
                    "cannot take down the network of pod sandbox " + sandbox.id(), e.getCause());
            if (failure == null) {
                failure = ofNetwork;
            } else {
                failure.addSuppressed(ofNetwork);
            }
        }
        if (failure != null) {
            throw failure;
        }
        Sandbox stopped = stopping.in(SandboxState.STOPPED);
        timeline.run("commit", () -> parts.store().commit(Change.empty().put(SandboxRows.KIND, stopped)));
        log.atInfo().addKeyValue("sandbox", sandbox.id()).log("sandbox stopped");
        timeline.log(log, "StopPodSandbox", sandbox.id());
        return stopped;
    }

    /// Records that a stopped sandbox is removed: from then on it is not listed and its name is free.
    Sandbox markRemoving(Sandbox stopped) {
        Sandbox removing = stopped.in(SandboxState.REMOVING);
        parts.store().commit(Change.empty().put(SandboxRows.KIND, removing));
        return removing;
    }

    /// Deletes a sandbox that is being removed with everything that carries its id; what cannot be deleted shows up
    /// again, so that the client removes it again.
    void deleteOrShow(Sandbox removing) {
        try {
            delete(removing);
        } catch (RuntimeException e) {
            log.atWarn()
                    .addKeyValue("sandbox", removing.id())
                    .setCause(e)
                    .log("cannot delete a removed pod sandbox; it is listed again");
            parts.store().commit(Change.empty().put(SandboxRows.KIND, removing.in(SandboxState.STOPPED)));
        }
    }

    /// The deletion itself, each step of which can be repeated.
    void delete(Sandbox removing) {
        Timeline timeline = new Timeline();
        String id = removing.id().value();
        timeline.run("shim", () -> endShim(removing));
        // Once more for a network whose plugin failed when the sandbox was stopped.
        timeline.run("network", () -> releaseNetwork(removing));
        timeline.run(
                "snapshot",
                () -> parts.snapshotters().get(removing.snapshotter()).remove(id));
        timeline.run("cgroup", () -> parts.cgroups().remove(removing));
        timeline.run("files", () -> {
            parts.places().files(removing.id()).delete();
            BundleFiles.delete(new Bundle(parts.places().bundle(id)));
        });
        parts.store().commit(Change.empty().delete(SandboxRows.KIND, id), Durability.BUFFERED);
        parts.podShims().remove(removing.id());
        log.atInfo().addKeyValue("sandbox", id).log("sandbox deleted");
        timeline.log(log, "deletion of a pod sandbox", id);
    }

    /// Records what is about to be done, for a daemon that finds it half done; a power cut does the rest itself.
    private Sandbox intend(Sandbox sandbox) {
        parts.store().commit(Change.empty().put(SandboxRows.KIND, sandbox), Durability.BUFFERED);
        return sandbox;
    }

    /// A plugin that is broken must not keep the pod: after its failure the namespace goes all the same, the journal
    /// keeps the attachment, and it is taken back when the plugin works again.
    private void releaseNetwork(Sandbox sandbox) {
        if (sandbox.config().namespaces().hostNetwork()) {
            return;
        }
        Path netns = parts.places().networkNamespace(sandbox.id());
        parts.networks().detach(sandbox.id(), !NetworkNamespaces.exists(netns));
        NetworkNamespaces.remove(netns);
    }

    private void killPause(Sandbox sandbox) {
        String id = sandbox.id().value();
        Shim shim = parts.podShims().find(sandbox.id()).orElse(null);
        if (shim == null) {
            if (sandbox.bootId().equals(parts.bootId())) {
                cleanUpAfterShim(sandbox);
            }
            return;
        }
        try {
            parts.podShims().kill(sandbox.id(), Signals.KILL);
            shim.wait(id, Optional.empty()).get(DEATH.toMillis(), TimeUnit.MILLISECONDS);
            shim.delete(id, Optional.empty());
        } catch (ShimException.NotFound _) {
            // Dead and deleted already: this call is a repetition.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SandboxException.Failed("interrupted while stopping pod sandbox " + id, e);
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof ShimException.NotFound)) {
                cleanUpAfterBrokenShim(sandbox, e);
            }
        } catch (ShimException | TimeoutException e) {
            cleanUpAfterBrokenShim(sandbox, e);
        }
    }

    private void cleanUpAfterBrokenShim(Sandbox sandbox, Exception failure) {
        log.atWarn()
                .addKeyValue("sandbox", sandbox.id())
                .setCause(failure)
                .log("the shim did not stop the pause container, so it is cleaned up after");
        cleanUpAfterShim(sandbox);
    }

    private void endShim(Sandbox sandbox) {
        Shim shim = parts.podShims().find(sandbox.id()).orElse(null);
        if (shim == null) {
            // The daemon that stopped the pod may have ended before it told the shim to.
            if (sandbox.bootId().equals(parts.bootId())) {
                cleanUpAfterShim(sandbox);
            }
            return;
        }
        try {
            shim.shutdown(sandbox.id().value());
        } catch (ShimException e) {
            log.atDebug().addKeyValue("sandbox", sandbox.id()).setCause(e).log("shim did not take the shutdown");
        }
    }

    /// The shim's own `delete` action removes what a dead shim left: processes, cgroup, root file system.
    void cleanUpAfterShim(Sandbox sandbox) {
        String id = sandbox.id().value();
        RuntimeHandler handler = parts.handlers().get(sandbox.handler());
        parts.shims().cleanup(handler.shim(), new Bundle(parts.places().bundle(id)), id);
        parts.podShims().remove(sandbox.id());
    }
}
