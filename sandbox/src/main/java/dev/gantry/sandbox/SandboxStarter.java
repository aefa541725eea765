package dev.gantry.sandbox;

import dev.gantry.image.Image;
import dev.gantry.linux.Mount;
import dev.gantry.linux.NetworkNamespaces;
import dev.gantry.linux.PidFd;
import dev.gantry.linux.UserNamespaces;
import dev.gantry.shim.Bundle;
import dev.gantry.shim.Shim;
import dev.gantry.shim.Stdio;
import dev.gantry.storage.Change;
import dev.gantry.storage.Durability;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.StorageException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes a pod sandbox (CRI `RunPodSandbox`).
///
/// Its network and its pause container do not need each other until the container starts, so they are made side by
/// side; only a sysctl that names an interface puts the network first. Whatever was made is unmade when a step fails;
/// what cannot be unmade stays recorded as a stopped sandbox, which can be removed again.
final class SandboxStarter {

    private static final Logger log = LoggerFactory.getLogger(SandboxStarter.class);

    private static final Duration SHIM_START = Duration.ofSeconds(30);

    private final SandboxParts parts;
    /// Held while a level is chosen, until its pod is in the store.
    private final Object levels = new Object();

    SandboxStarter(SandboxParts parts) {
        this.parts = parts;
    }

    Sandbox run(SandboxConfig config, String handlerName, Consumer<Sandbox> made) {
        Timeline timeline = new Timeline();
        RuntimeHandler handler = parts.handlers().get(handlerName);
        if (config.namespaces().users().isPresent()) {
            requireUserNamespaces(handler, config);
        }
        parts.specs().check(config); // before anything is made
        SandboxId id = SandboxId.random();
        PodCgroups.Place place = parts.cgroups().place(id, config.cgroupParent());
        Image pause = parts.pauseImage().get();
        Sandbox wanted = new Sandbox(
                id,
                config,
                handlerName,
                SandboxState.CREATING,
                parts.clock().instant(),
                place.parent(),
                place.owned(),
                parts.bootId(),
                0,
                List.of(),
                handler.snapshotter(),
                pause.id().toString(),
                SelinuxLabel.NONE);
        Sandbox creating = timeline.measure("reserve", () -> reserve(wanted));
        Rollback rollback = new Rollback();
        try {
            Sandbox ready = make(creating, place, handler, pause, rollback, timeline);
            made.accept(ready);
            timeline.run("commit", () -> parts.store().commit(Change.empty().put(SandboxRows.KIND, ready)));
            log.atInfo()
                    .addKeyValue("sandbox", id)
                    .addKeyValue("pod", config.metadata().reservedName())
                    .log("sandbox runs");
            timeline.log(log, "RunPodSandbox", id);
            return ready;
        } catch (RuntimeException | InterruptedException e) {
            throw failed(creating, rollback, e);
        }
    }

    private void requireUserNamespaces(RuntimeHandler handler, SandboxConfig config) {
        parts.features().noUserNamespaces(handler).ifPresent(why -> {
            throw new SandboxException.InvalidRequest("pod %s cannot have a user namespace with runtime handler %s: %s"
                    .formatted(config.metadata().name(), handler.name(), why));
        });
    }

    /// Takes the name, and a level of SELinux where there is that.
    private Sandbox reserve(Sandbox wanted) {
        Selinux selinux = parts.specs().selinux();
        if (!selinux.enabled()) {
            reserveName(wanted);
            return wanted;
        }
        synchronized (levels) {
            Sandbox labelled =
                    wanted.labelled(selinux.ofPod(wanted.config().security().selinux(), this::isTaken));
            reserveName(labelled);
            return labelled;
        }
    }

    private boolean isTaken(String level) {
        return parts.store().view().all(SandboxRows.KIND).stream()
                .anyMatch(it -> it.label().level().equals(level));
    }

    private void reserveName(Sandbox creating) {
        try {
            // Not synced: a power cut ends all that an unsynced row would have to undo, but for the network, whose
            // own intent is synced and takes this row to the disk with it.
            parts.store().commit(Change.empty().put(SandboxRows.KIND, creating), Durability.BUFFERED);
        } catch (StorageException.AlreadyExists e) {
            String name = creating.config().metadata().reservedName();
            String holder = parts.store()
                    .view()
                    .findBy(SandboxRows.KIND, SandboxRows.BY_NAME, name)
                    .map(it -> it.id().value())
                    .orElse("that was just removed: try again");
            throw new SandboxException.NameTaken(name, holder);
        }
    }

    private Sandbox make(
            Sandbox sandbox,
            PodCgroups.Place place,
            RuntimeHandler handler,
            Image pause,
            Rollback rollback,
            Timeline timeline)
            throws InterruptedException {
        SandboxConfig config = sandbox.config();
        PodFiles files = parts.places().files(sandbox.id());
        String hostName = SandboxSpec.hostName(config);
        rollback.onFailure(files::delete);
        timeline.run(
                "files",
                () -> files.create(config, hostName, parts.specs().selinux().files(sandbox.label())));
        rollback.onFailure(() -> parts.cgroups().remove(sandbox));
        timeline.run("cgroup", () -> {
            parts.cgroups().create(place);
            parts.cgroups().limit(sandbox);
        });

        List<String> ips;
        int pid;
        if (config.namespaces().hostNetwork()) {
            var _ = timeline.measure("userns", () -> separateUsers(sandbox, Optional.empty()));
            pid = timeline.measure("create", () -> createPause(sandbox, handler, pause, rollback, timeline));
            ips = List.of();
        } else {
            Path netns = parts.places().networkNamespace(sandbox.id());
            rollback.onFailure(() -> NetworkNamespaces.remove(netns));
            if (config.namespaces().users().isPresent()) {
                var _ = timeline.measure("netns", () -> separateUsers(sandbox, Optional.of(netns)));
            } else {
                timeline.run("netns", () -> NetworkNamespaces.create(netns));
            }
            Rollback ofNetwork = new Rollback();
            rollback.onFailure(ofNetwork);
            Future<List<String>> network = parts.steps()
                    .submit(() ->
                            timeline.measure("network", () -> parts.networks().attach(sandbox, netns, ofNetwork)));
            if (config.sysctls().keySet().stream().anyMatch(Sysctls::namesInterface)) {
                ips = result(network);
                pid = timeline.measure("create", () -> createPause(sandbox, handler, pause, rollback, timeline));
            } else {
                pid = besides(
                        network,
                        () -> timeline.measure(
                                "create", () -> createPause(sandbox, handler, pause, rollback, timeline)));
                ips = result(network);
            }
            files.addresses(config, hostName, ips);
        }
        Shim shim = parts.podShims().find(sandbox.id()).orElseThrow();
        timeline.run("start", () -> shim.start(sandbox.id().value()));
        return sandbox.ready(pid, ips);
    }

    /// Makes the user namespace of a pod that is to have one, which owns its network namespace, and shows it the layers
    /// of images with its ids. Both go with the pod's files.
    private Optional<UserIds> separateUsers(Sandbox sandbox, Optional<Path> netns) throws InterruptedException {
        Optional<UserIds> wanted = sandbox.config().namespaces().users();
        if (wanted.isEmpty()) {
            return wanted;
        }
        UserIds users = wanted.get();
        PodFiles files = parts.places().files(sandbox.id());
        parts.userNamespaces().create(users.users(), users.groups(), files.userNamespace(), netns);
        Snapshotter snapshotter = parts.snapshotters().get(sandbox.snapshotter());
        UserNamespaces.mount(snapshotter.root(), files.layers(), files.userNamespace(), true);
        return wanted;
    }

    /// Does `work` while `other` runs, and leaves only when both have ended, so that no undoing meets a step still at
    /// work.
    private static int besides(Future<?> other, Timeline.Step<Integer, RuntimeException> work)
            throws InterruptedException {
        try {
            return work.run();
        } catch (RuntimeException e) {
            try {
                other.get();
            } catch (ExecutionException alsoFailed) {
                e.addSuppressed(alsoFailed.getCause());
            }
            throw e;
        }
    }

    private static <T> T result(Future<T> future) throws InterruptedException {
        try {
            return future.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private int createPause(
            Sandbox sandbox, RuntimeHandler handler, Image pause, Rollback rollback, Timeline timeline) {
        String id = sandbox.id().value();
        Snapshotter snapshotter = parts.snapshotters().get(sandbox.snapshotter());
        rollback.onFailure(() -> snapshotter.remove(id));
        // Writable, as runc makes the mount points in it; the container itself sees it read-only.
        String label = parts.specs().selinux().files(sandbox.label());
        List<Mount> rootfs = timeline.measure(
                "snapshot",
                () -> snapshotter.prepare(
                        id,
                        parts.images().rootSnapshot(pause, snapshotter),
                        Map.of(),
                        parts.places().idShift(sandbox)));
        SelinuxRelabel.root(rootfs, label);
        Bundle bundle = new Bundle(parts.places().bundle(id));
        rollback.onFailure(() -> BundleFiles.delete(bundle));
        BundleFiles.create(
                bundle,
                parts.specs().encode(sandbox, handler, parts.images().config(pause)),
                sandbox.config().namespaces().users());
        Shim shim = timeline.measure(
                "shim", () -> parts.shims().start(handler.shim(), bundle, id, Optional.empty(), SHIM_START));
        rollback.onFailure(() -> parts.shims().cleanup(handler.shim(), bundle, id));
        int pid = timeline.measure(
                "runc",
                () -> shim.create(id, bundle, Selinux.labelled(rootfs, label), Stdio.none(), handler.options()));
        parts.podShims().put(sandbox.id(), shim, PidFd.find(pid));
        rollback.onFailure(() -> parts.podShims().remove(sandbox.id()));
        return pid;
    }

    private RuntimeException failed(Sandbox creating, Rollback rollback, Exception failure) {
        boolean clean = rollback.undo(failure);
        try {
            parts.store()
                    .commit(
                            clean
                                    ? Change.empty()
                                            .delete(
                                                    SandboxRows.KIND,
                                                    creating.id().value())
                                    : Change.empty().put(SandboxRows.KIND, creating.in(SandboxState.STOPPED)));
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        if (failure instanceof SandboxException known) {
            return known;
        }
        return new SandboxException.Failed(
                "cannot run pod sandbox " + creating.config().metadata().reservedName(), failure);
    }
}
