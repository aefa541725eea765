package dev.gantry.runtime;

import dev.gantry.linux.PidFd;
import dev.gantry.shim.Exit;
import dev.gantry.shim.Shim;
import dev.gantry.shim.ShimException;
import dev.gantry.shim.TaskState;
import dev.gantry.shim.TaskStatus;
import dev.gantry.storage.Change;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings stored containers and running ones together after a start of the daemon.
///
/// Each stored state says by itself what to do; what the shims say about processes is the truth.
final class ContainerRecovery {

    private static final Logger log = LoggerFactory.getLogger(ContainerRecovery.class);

    private final ContainerParts parts;
    private final ContainerExits exits;
    private final ContainerStopper stopper;

    ContainerRecovery(ContainerParts parts, ContainerExits exits) {
        this.parts = parts;
        this.exits = exits;
        this.stopper = new ContainerStopper(parts);
    }

    /// Handles every container once; call it after the sandboxes were recovered and before the first client.
    void run() {
        for (Container container : parts.store().view().all(ContainerRows.KIND)) {
            try {
                recover(container);
            } catch (RuntimeException e) {
                log.atError()
                        .addKeyValue("container", container.id())
                        .setCause(e)
                        .log("cannot recover a container; it stays as it was recorded");
            }
        }
    }

    private void recover(Container container) {
        switch (container.state()) {
            case CREATING, REMOVING -> stopper.delete(container);
            case CREATED -> recoverCreated(container);
            case STARTING, RUNNING -> recoverRunning(container);
            case EXITED -> forgetExited(container);
        }
    }

    /// A bundle lies where a reboot may have wiped it; then the container cannot be started any more.
    private void recoverCreated(Container container) {
        if (!container.bootId().equals(parts.bootId())) {
            save(container.exited(
                    ContainerExits.UNKNOWN_EXIT,
                    parts.clock().instant(),
                    "Unknown",
                    "the node was rebooted before the container was started"));
        }
    }

    private void recoverRunning(Container container) {
        if (!container.bootId().equals(parts.bootId())) {
            save(container.exited(
                    ContainerExits.UNKNOWN_EXIT, parts.clock().instant(), "Unknown", "the node was rebooted"));
            return;
        }
        try {
            Shim shim = parts.shims().reconnect(parts.bundle(container.id()), container.id());
            TaskState state = shim.state(container.id(), Optional.empty());
            if (state.status() == TaskStatus.CREATED) {
                // The daemon died between Create and Start: the client was never told that it runs.
                abandon(container);
            } else {
                adopt(container, shim, state);
            }
        } catch (ShimException e) {
            log.atWarn()
                    .addKeyValue("container", container.id())
                    .setCause(e)
                    .log("a running container has lost its shim");
            abandon(container);
        }
    }

    /// Goes on where the daemon before left off; an exit that happened meanwhile comes through the same way as any.
    private void adopt(Container container, Shim shim, TaskState before) {
        String id = container.id();
        Optional<PidFd> process = PidFd.find(before.pid());
        // Only if it still runs now was the pid its own when the hold was taken.
        TaskState state = shim.state(id, Optional.empty());
        if (state.status() == TaskStatus.STOPPED) {
            process.ifPresent(PidFd::close);
            process = Optional.empty();
        }
        ContainerIo io = parts.streams().reopen(container, parts.bundle(id), shim, state.stdio());
        LiveContainers.Live live = new LiveContainers.Live(shim, io, process, shim.wait(id, Optional.empty()));
        parts.live().put(id, live);
        if (container.state() == ContainerState.STARTING) {
            save(container.running(state.pid(), parts.clock().instant()));
        }
        exits.watch(id, live);
        if (state.status() == TaskStatus.STOPPED) {
            // Clients must not see as running what ended while nobody looked.
            live.ended
                    .orTimeout(15, TimeUnit.SECONDS)
                    .exceptionally(_ -> container)
                    .join();
        }
    }

    /// The daemon before may have ended between writing the exit down and telling the shim to forget the container; a
    /// shim that knows a container never ends.
    private void forgetExited(Container container) {
        if (!container.bootId().equals(parts.bootId())) {
            return;
        }
        try {
            parts.shims()
                    .reconnect(parts.bundle(container.id()), container.id())
                    .delete(container.id(), Optional.empty());
        } catch (ShimException e) {
            log.atTrace().addKeyValue("container", container.id()).setCause(e).log("no shim knows an ended container");
        }
    }

    private void abandon(Container container) {
        Exit exit = exits.cleanUp(container)
                .orElseGet(() ->
                        new Exit(ContainerExits.UNKNOWN_EXIT, parts.clock().instant()));
        save(exits.ended(container, exit, false));
    }

    private void save(Container container) {
        parts.store().commit(Change.empty().put(ContainerRows.KIND, container));
    }
}
