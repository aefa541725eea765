package dev.gantry.runtime;

import dev.gantry.sandbox.CgroupDriver;
import dev.gantry.sandbox.LinuxResources;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxConfig;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.Sandboxes;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/// Pods as the CRI has them: a sandbox with the containers in it, which stop and go together.
final class Pods {

    private final Sandboxes sandboxes;
    private final Containers containers;
    private final PodCgroups cgroups;
    private final ExecutorService steps;
    private final ContainerEvents events;
    private final LateResults<Sandbox> late;

    /// @param steps stops the containers of a pod side by side; bounded, platform threads
    /// @param keepLate how long a pod waits for the retry of a client that went before it ran
    Pods(
            Sandboxes sandboxes,
            Containers containers,
            PodCgroups cgroups,
            ExecutorService steps,
            ContainerEvents events,
            Duration keepLate) {
        this.sandboxes = sandboxes;
        this.containers = containers;
        this.cgroups = cgroups;
        this.steps = steps;
        this.events = events;
        this.late = new LateResults<>(new Unclaimed(), SandboxException.NameTaken::new, keepLate, steps);
    }

    /// @throws SandboxException.NameTaken when another pod has its name, namespace, uid and attempt
    Sandbox run(SandboxConfig config, String handler) throws InterruptedException {
        return late.get(
                "pod sandbox " + config.metadata().reservedName(),
                new Request(config, handler),
                before -> sandboxes.run(config, handler, before));
    }

    private record Request(SandboxConfig config, String handler) {}

    /// Pods whose clients do not know of them yet.
    private final class Unclaimed implements LateResults.Handling<Sandbox> {

        @Override
        public void hide(Sandbox sandbox) {
            sandboxes.hide(sandbox.id());
            events.hide(sandbox.id().value());
        }

        @Override
        public void show(Sandbox sandbox) {
            sandboxes.show(sandbox.id());
            events.show(sandbox.id().value());
        }

        @Override
        public void discard(Sandbox sandbox) throws InterruptedException {
            sandboxes.stop(sandbox.id());
            sandboxes.remove(sandbox.id(), CompletableFuture.completedFuture(null));
        }

        @Override
        public void forget(Sandbox sandbox) {
            sandboxes.show(sandbox.id());
            events.forget(sandbox.id().value());
        }
    }

    Sandbox get(String id) {
        return sandboxes.get(id);
    }

    List<Sandbox> list() {
        return sandboxes.list();
    }

    void update(String id, Optional<LinuxResources> overhead, Optional<LinuxResources> resources) {
        sandboxes.update(id, overhead, resources);
    }

    CgroupDriver cgroupDriver() {
        return cgroups.driver();
    }

    /// Kills the pod's containers and takes its sandbox down; what is gone is stopped.
    void stop(String id) throws InterruptedException {
        Sandbox sandbox = sandboxes.find(id).orElse(null);
        if (sandbox == null) {
            return;
        }
        each(containers.of(sandbox.id()), "stop", containers::stop);
        sandboxes.stop(sandbox.id());
    }

    /// Stops the pod if need be and deletes it with its containers; what is gone is removed.
    void remove(String id) throws InterruptedException {
        Sandbox sandbox = sandboxes.find(id).orElse(null);
        if (sandbox == null) {
            return;
        }
        stop(sandbox.id().value());
        each(containers.of(sandbox.id()), "remove", containers::remove);
        sandboxes.remove(sandbox.id(), containers.deletions(sandbox.id()));
    }

    private interface Step {
        void run(Container container) throws InterruptedException;
    }

    /// Does the step for all containers at the same time, so that one that refuses to die does not keep the others
    /// alive.
    private void each(List<Container> all, String what, Step step) throws InterruptedException {
        if (all.size() == 1) {
            step.run(all.getFirst());
            return;
        }
        List<Future<?>> running = all.stream()
                .<Future<?>>map(it -> steps.submit(() -> {
                    step.run(it);
                    return null;
                }))
                .toList();
        SandboxException failure = null;
        for (Future<?> one : running) {
            try {
                one.get();
            } catch (ExecutionException e) {
                if (failure == null) {
                    failure = new SandboxException.Failed(
                            "cannot %s every container of the pod".formatted(what), e.getCause());
                } else {
                    failure.addSuppressed(e.getCause());
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
