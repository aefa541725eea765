package dev.gantry.sandbox;

import dev.gantry.cni.SavedAttachment;
import dev.gantry.linux.NetworkNamespaces;
import dev.gantry.linux.PidFd;
import dev.gantry.shim.Bundle;
import dev.gantry.shim.Shim;
import dev.gantry.shim.ShimException;
import dev.gantry.shim.TaskState;
import dev.gantry.shim.TaskStatus;
import dev.gantry.storage.Change;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings stored sandboxes and running ones together after a start of the daemon.
///
/// Each stored state says by itself what to do; what the shims say about processes is the truth.
final class SandboxRecovery {

    private static final Logger log = LoggerFactory.getLogger(SandboxRecovery.class);

    private final SandboxParts parts;
    private final Sandboxes sandboxes;
    private final SandboxStopper stopper;

    SandboxRecovery(SandboxParts parts, Sandboxes sandboxes, SandboxStopper stopper) {
        this.parts = parts;
        this.sandboxes = sandboxes;
        this.stopper = stopper;
    }

    /// Handles every sandbox once, before the first client.
    void run() {
        for (Sandbox sandbox : parts.store().view().all(SandboxRows.KIND)) {
            try {
                recover(sandbox);
            } catch (RuntimeException e) {
                log.atError()
                        .addKeyValue("sandbox", sandbox.id())
                        .setCause(e)
                        .log("cannot recover a pod sandbox; it stays as it was recorded");
            }
        }
        parts.steps().execute(this::releaseNetworks);
    }

    /// Tries again to take those pods off the network whose plugins failed when they were stopped.
    private void releaseNetworks() {
        for (SavedAttachment attachment : parts.store().view().all(StoredNetworkJournal.KIND)) {
            SandboxId id = new SandboxId(attachment.containerId());
            boolean stopped = parts.store()
                    .view()
                    .find(SandboxRows.KIND, id.value())
                    .map(it -> it.state() == SandboxState.STOPPED)
                    .orElse(true);
            if (stopped) {
                parts.networks().detach(id, true);
            }
        }
    }

    private void recover(Sandbox sandbox) {
        switch (sandbox.state()) {
            case CREATING -> undo(sandbox);
            case READY -> recoverReady(sandbox);
            case STOPPING -> reconnect(sandbox);
            case STOPPED -> {}
            case REMOVING -> stopper.deleteOrShow(sandbox);
        }
    }

    /// The client was never told of it, and will ask again under the same name.
    private void undo(Sandbox sandbox) {
        if (sandbox.bootId().equals(parts.bootId())) {
            stopper.cleanUpAfterShim(sandbox);
        }
        if (!sandbox.config().namespaces().hostNetwork()) {
            parts.networks()
                    .detach(
                            sandbox.id(),
                            !NetworkNamespaces.exists(parts.places().networkNamespace(sandbox.id())));
            NetworkNamespaces.remove(parts.places().networkNamespace(sandbox.id()));
        }
        stopper.delete(sandbox);
    }

    private void recoverReady(Sandbox sandbox) {
        if (!sandbox.bootId().equals(parts.bootId())) {
            // The kubelet stops and removes it; that gives the network's addresses back.
            save(sandbox.in(SandboxState.STOPPING));
            return;
        }
        if (reconnect(sandbox)) {
            sandboxes.watch(sandbox);
        } else {
            save(sandbox.in(SandboxState.STOPPING));
        }
    }

    /// Finds the pod's shim again; containers may run in it even when the pause container does not.
    ///
    /// @return whether the pause container runs
    private boolean reconnect(Sandbox sandbox) {
        String id = sandbox.id().value();
        try {
            Shim shim = parts.shims().reconnect(new Bundle(parts.places().bundle(id)), id);
            TaskState before = shim.state(id, Optional.empty());
            Optional<PidFd> pause = PidFd.find(before.pid());
            // Only if it still runs now was the pid its own when the hold was taken.
            TaskState now = shim.state(id, Optional.empty());
            boolean runs = now.status() == TaskStatus.RUNNING || now.status() == TaskStatus.PAUSED;
            parts.podShims().put(sandbox.id(), shim, runs ? pause : Optional.empty());
            return runs;
        } catch (ShimException e) {
            log.atWarn().addKeyValue("sandbox", id).setCause(e).log("a pod sandbox has lost its pause container");
            return false;
        }
    }

    private void save(Sandbox sandbox) {
        parts.store().commit(Change.empty().put(SandboxRows.KIND, sandbox));
    }
}
