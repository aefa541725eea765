package dev.gantry.runtime;

import dev.gantry.linux.KeyedLocks;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.shim.Exit;
import dev.gantry.shim.ShimException;
import dev.gantry.storage.Change;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Records how containers end.
///
/// The order matters: the output is read to its end, then the exit is on disk, and only then the shim is told to forget
/// it; so whenever the daemon dies, the exit code is in the store or still with the shim.
final class ContainerExits {

    private static final Logger log = LoggerFactory.getLogger(ContainerExits.class);
    /// A process that outlives the container's first one may hold its output open.
    private static final Duration DRAIN = Duration.ofSeconds(10);
    /// What nobody knows any more is reported as containerd reports it.
    static final int UNKNOWN_EXIT = 255;

    private final ContainerParts parts;
    private final OomKills oomKills;

    ContainerExits(ContainerParts parts, OomKills oomKills) {
        this.parts = parts;
        this.oomKills = oomKills;
    }

    /// Sees to it that the container's end is recorded.
    void watch(String id, LiveContainers.Live live) {
        var _ = live.exit.whenCompleteAsync((exit, failure) -> ended(id, live, exit, failure), parts.exits());
    }

    private void ended(String id, LiveContainers.Live live, Exit exit, Throwable failure) {
        if (failure != null && parts.shims().isClosed()) {
            return; // The daemon is going, the container is not.
        }
        try {
            awaitOutput(id, live);
            Exit known = failure == null ? exit : exitWithoutShim(id, failure);
            record(id, live, known);
        } catch (RuntimeException e) {
            log.atError().addKeyValue("container", id).setCause(e).log("cannot record the end of a container");
            live.ended.completeExceptionally(e);
        }
    }

    private void awaitOutput(String id, LiveContainers.Live live) {
        try {
            live.io.drained().get(DRAIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
            log.atDebug().addKeyValue("container", id).log("something holds the container's output open after its end");
        } catch (ExecutionException e) {
            log.atWarn().addKeyValue("container", id).setCause(e).log("the container's output was not read to its end");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void tellOfLostOutput(String id, LiveContainers.Live live) {
        live.io
                .logCounters()
                .filter(it -> it.lostBytes() > 0)
                .ifPresent(it -> log.atWarn()
                        .addKeyValue("container", id)
                        .addKeyValue("bytes", it.lostBytes())
                        .log("the log of a container lacks output that its disk did not take"));
    }

    /// The shim is gone; its binary's `delete` action may still know the exit, and cleans up.
    private Exit exitWithoutShim(String id, Throwable failure) {
        log.atWarn().addKeyValue("container", id).setCause(failure).log("lost the shim of a running container");
        Container container = parts.store().view().find(ContainerRows.KIND, id).orElse(null);
        if (container == null) {
            return new Exit(UNKNOWN_EXIT, parts.clock().instant());
        }
        return cleanUp(container)
                .orElseGet(() -> new Exit(UNKNOWN_EXIT, parts.clock().instant()));
    }

    /// Removes what a dead shim left of a container.
    Optional<Exit> cleanUp(Container container) {
        String handler = parts.sandboxes()
                .find(container.sandbox().value())
                .map(Sandbox::handler)
                .orElse("");
        return parts.shims()
                .cleanup(parts.handlers().get(handler).shim(), parts.bundle(container.id()), container.id());
    }

    /// Writes the exit and lets go of everything that a running container holds. Whoever waits for the end goes on as
    /// soon as it is on disk; whoever takes the lock next finds the shim done with the container too.
    private void record(String id, LiveContainers.Live live, Exit exit) {
        try (KeyedLocks.Held _ = parts.locks().lock(id)) {
            Container container =
                    parts.store().view().find(ContainerRows.KIND, id).orElse(null);
            if (container != null && container.state().mayRun()) {
                Container ended = ended(container, exit, live.outOfMemory());
                parts.store().commit(Change.empty().put(ContainerRows.KIND, ended));
                live.ended.complete(ended);
                log.atInfo()
                        .addKeyValue("container", id)
                        .addKeyValue("exit", ended.exitCode())
                        .addKeyValue("reason", ended.reason())
                        .log("container ended");
                tellOfLostOutput(id, live);
                forget(id, live);
            }
            live.close();
            parts.live().remove(id);
        }
    }

    /// The row of a container that ended so.
    Container ended(Container container, Exit exit, boolean toldOutOfMemory) {
        boolean outOfMemory = toldOutOfMemory || (exit.status() != 0 && oomKills.happened(container));
        String reason = outOfMemory ? "OOMKilled" : exit.status() == 0 ? "Completed" : "Error";
        Instant at = exit.at().equals(Instant.EPOCH) ? parts.clock().instant() : exit.at();
        return container.exited(exit.status(), at, reason, "");
    }

    private static void forget(String id, LiveContainers.Live live) {
        try {
            live.shim.delete(id, Optional.empty());
        } catch (ShimException.NotFound | ShimException.Unavailable _) {
            // The shim has forgotten it, or is gone and was cleaned up after.
        } catch (ShimException e) {
            log.atWarn().addKeyValue("container", id).setCause(e).log("the shim did not delete an ended container");
        }
    }
}
