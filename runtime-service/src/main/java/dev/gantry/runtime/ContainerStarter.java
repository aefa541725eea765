package dev.gantry.runtime;

import dev.gantry.linux.Mount;
import dev.gantry.linux.PidFd;
import dev.gantry.linux.Signals;
import dev.gantry.sandbox.Rollback;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.sandbox.Selinux;
import dev.gantry.sandbox.Timeline;
import dev.gantry.shim.Bundle;
import dev.gantry.shim.Shim;
import dev.gantry.shim.ShimException;
import dev.gantry.storage.Change;
import dev.gantry.storage.Durability;
import dev.gantry.storage.MetadataStore;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts a created container (CRI `StartContainer`). One that cannot be started has exited, with a reason.
final class ContainerStarter {

    private static final Logger log = LoggerFactory.getLogger(ContainerStarter.class);
    private static final int START_FAILED = 128;
    private static final Duration SHIM_START = Duration.ofSeconds(30);

    private final ContainerParts parts;
    private final ContainerExits exits;

    ContainerStarter(ContainerParts parts, ContainerExits exits) {
        this.parts = parts;
        this.exits = exits;
    }

    /// The caller holds the container's lock.
    void start(Container created) {
        Timeline timeline = new Timeline();
        if (created.state() != ContainerState.CREATED) {
            throw new ContainerException.WrongState(
                    "cannot start container %s: it is %s, not CREATED".formatted(created.id(), created.state()));
        }
        Sandbox sandbox = parts.sandboxes().get(created.sandbox().value());
        if (sandbox.state() != SandboxState.READY) {
            throw new SandboxException.WrongState(
                    "cannot start container %s: pod sandbox %s does not run".formatted(created.id(), sandbox.id()));
        }
        Container starting = created.in(ContainerState.STARTING);
        MetadataStore.Pending recorded = parts.store().begin(Change.empty().put(ContainerRows.KIND, starting));
        // After a power cut a container that was being started is one that ran, so that what the client is told is as
        // durable as this row; the disk has all the time that the start takes.
        CompletableFuture<Void> durable = CompletableFuture.runAsync(recorded::await, parts.steps());
        Rollback rollback = new Rollback();
        try {
            launch(starting, sandbox, durable, rollback, timeline);
        } catch (RuntimeException e) {
            rollback.undo(e);
            Container failed = starting.exited(
                    START_FAILED, parts.clock().instant(), "StartError", String.valueOf(e.getMessage()));
            parts.store().commit(Change.empty().put(ContainerRows.KIND, failed));
            throw new ContainerException.Failed(
                    "cannot start container %s (%s)"
                            .formatted(
                                    created.id(), created.config().getMetadata().getName()),
                    e);
        }
        timeline.log(log, "StartContainer", created.id());
    }

    private void launch(
            Container starting,
            Sandbox sandbox,
            CompletableFuture<Void> durable,
            Rollback rollback,
            Timeline timeline) {
        String id = starting.id();
        RuntimeHandler handler = parts.handlers().get(sandbox.handler());
        Bundle bundle = parts.bundle(id);
        Shim shim = timeline.measure(
                "shim",
                () -> parts.shims()
                        .start(
                                handler.shim(),
                                bundle,
                                id,
                                Optional.of(parts.sandboxes().shim(sandbox)),
                                SHIM_START));
        ContainerIo io = timeline.measure("streams", () -> parts.streams().open(starting, bundle, shim));
        rollback.onFailure(io::close);
        List<Mount> rootfs = Selinux.labelled(
                parts.snapshotters()
                        .get(starting.snapshotter())
                        .mounts(id, parts.places().idShift(sandbox)),
                parts.specs().fileLabel(starting.config(), sandbox));
        int pid = timeline.measure("create", () -> shim.create(id, bundle, rootfs, io.stdio(), handler.options()));
        rollback.onFailure(() -> deleteTask(shim, id));
        // The process waits for its start, so its pid cannot mean another yet.
        Optional<PidFd> process = PidFd.find(pid);
        LiveContainers.Live live = new LiveContainers.Live(shim, io, process, shim.wait(id, Optional.empty()));
        parts.live().put(id, live);
        rollback.onFailure(() -> {
            parts.live().remove(id);
            process.ifPresent(PidFd::close);
        });
        Instant begin = parts.clock().instant(); // before the start, or a quick container would end before it began
        timeline.run("start", () -> shim.start(id));
        Container running = starting.running(pid, begin);
        timeline.run("durable", () -> await(durable));
        timeline.run(
                "commit",
                () -> parts.store().commit(Change.empty().put(ContainerRows.KIND, running), Durability.BUFFERED));
        exits.watch(id, live);
    }

    private static void await(CompletableFuture<Void> durable) {
        try {
            durable.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : e;
        }
    }

    private static void deleteTask(Shim shim, String id) {
        try {
            shim.kill(id, Optional.empty(), Signals.KILL, true);
        } catch (ShimException.NotFound _) {
            // It never ran, or ran and ended.
        }
        shim.delete(id, Optional.empty());
    }
}
