package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.image.Image;
import dev.gantry.linux.Mount;
import dev.gantry.sandbox.BundleFiles;
import dev.gantry.sandbox.Rollback;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.sandbox.SandboxMetadata;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.sandbox.Sandboxes;
import dev.gantry.sandbox.SelinuxRelabel;
import dev.gantry.sandbox.Timeline;
import dev.gantry.shim.Bundle;
import dev.gantry.storage.Change;
import dev.gantry.storage.Durability;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.StorageException;
import dev.gantry.storage.Update;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes a container ready to be started (CRI `CreateContainer`): its writable layer, its bundle and its row.
///
/// The shim hears of it only at the start, so that a container which is never started costs no process.
final class ContainerCreator {

    private static final Logger log = LoggerFactory.getLogger(ContainerCreator.class);

    private final ContainerParts parts;

    ContainerCreator(ContainerParts parts) {
        this.parts = parts;
    }

    /// @param made gets the container right before clients can see it
    Container create(String sandboxId, ContainerConfig config, Consumer<Container> made) {
        Timeline timeline = new Timeline();
        Sandbox sandbox = ready(sandboxId, config);
        String name = config.getMetadata().getName();
        if (name.isEmpty()) {
            throw new ContainerException.InvalidRequest("container metadata needs a name");
        }
        String reference = config.getImage().getImage();
        Image image = parts.images().find(reference).orElseThrow(() -> new ContainerException.NoImage(name, reference));
        RuntimeHandler handler = parts.handlers().get(sandbox.handler());
        String id = SandboxId.random().value();
        ContainerSpecs.Plan plan =
                timeline.measure("spec", () -> parts.specs().plan(id, config, sandbox, handler, image));
        Container creating = new Container(
                id,
                sandbox.id(),
                reservedName(config, sandbox),
                config,
                image.id().toString(),
                image.digests().stream().findFirst().orElse(image.id().toString()),
                handler.snapshotter(),
                ContainerState.CREATING,
                parts.clock().instant(),
                Optional.empty(),
                Optional.empty(),
                0,
                "",
                "",
                0,
                parts.bootId(),
                logPath(config, sandbox),
                plan.user(),
                config.getLinux().getResources(),
                plan.stopSignal(),
                plan.cgroupPath(),
                plan.imageMounts().stream().map(ImageMount::stored).toList());
        timeline.run("reserve", () -> reserve(creating));
        Rollback rollback = new Rollback();
        try {
            Snapshotter snapshotter = parts.snapshotters().get(creating.snapshotter());
            rollback.onFailure(() -> snapshotter.remove(id));
            List<Mount> rootfs = timeline.measure(
                    "snapshot",
                    () -> snapshotter.prepare(
                            id,
                            parts.images().rootSnapshot(image, snapshotter),
                            Map.of(),
                            parts.places().idShift(sandbox)));
            SelinuxRelabel.root(rootfs, plan.fileLabel());
            rollback.onFailure(() -> parts.specs().delete(id));
            timeline.run("volumes", () -> parts.specs().createVolumes(plan));
            Bundle bundle = parts.bundle(id);
            rollback.onFailure(() -> BundleFiles.delete(bundle));
            timeline.run(
                    "bundle",
                    () -> BundleFiles.create(
                            bundle,
                            plan.spec().toJson(),
                            sandbox.config().namespaces().users()));
            timeline.run("images", () -> parts.specs().mountImages(plan, creating.snapshotter(), sandbox));
            Container created = creating.in(ContainerState.CREATED);
            made.accept(created);
            timeline.run("commit", () -> commit(created));
            timeline.log(log, "CreateContainer", id);
            return created;
        } catch (RuntimeException e) {
            if (rollback.undo(e)) {
                parts.store().commit(Change.empty().delete(ContainerRows.KIND, id));
            }
            throw e;
        }
    }

    /// The pod, which must run.
    Sandbox ready(String sandboxId, ContainerConfig config) {
        Sandbox sandbox = parts.sandboxes().get(sandboxId);
        if (sandbox.state() != SandboxState.READY) {
            throw notReady(config, sandbox.id());
        }
        return sandbox;
    }

    private static SandboxException notReady(ContainerConfig config, SandboxId sandbox) {
        return new SandboxException.WrongState("cannot create container %s: pod sandbox %s does not run"
                .formatted(config.getMetadata().getName(), sandbox));
    }

    /// Not for a pod that was stopped meanwhile: whoever removes it may have looked for its containers already.
    private void commit(Container created) {
        var _ = parts.store().update(view -> {
            if (Sandboxes.in(view, created.sandbox())
                    .filter(it -> it.state() == SandboxState.READY)
                    .isEmpty()) {
                throw notReady(created.config(), created.sandbox());
            }
            return Update.of(Change.empty().put(ContainerRows.KIND, created), created);
        });
    }

    private void reserve(Container creating) {
        try {
            parts.store().commit(Change.empty().put(ContainerRows.KIND, creating), Durability.BUFFERED);
        } catch (StorageException.AlreadyExists e) {
            String holder = parts.store()
                    .view()
                    .findBy(ContainerRows.KIND, ContainerRows.BY_NAME, creating.reservedName())
                    .map(Container::id)
                    .orElse("that was just removed: try again");
            throw new ContainerException.NameTaken(creating.reservedName(), holder);
        }
    }

    private static String reservedName(ContainerConfig config, Sandbox sandbox) {
        SandboxMetadata pod = sandbox.config().metadata();
        return "%s_%s_%s_%s_%s"
                .formatted(
                        config.getMetadata().getName(),
                        pod.name(),
                        pod.namespace(),
                        pod.uid(),
                        Integer.toUnsignedString(config.getMetadata().getAttempt()));
    }

    /// Pod and container authors must not lead the log out of the pod's log folder (CVE-2025-0750).
    private static String logPath(ContainerConfig config, Sandbox sandbox) {
        String folder = sandbox.config().logDirectory();
        String file = config.getLogPath();
        if (folder.isEmpty() || file.isEmpty()) {
            return "";
        }
        Path directory = Path.of(folder).normalize();
        Path path = directory.resolve(file).normalize();
        if (!path.startsWith(directory) || path.equals(directory)) {
            throw new ContainerException.InvalidRequest(
                    "log path \"%s\" leads out of the pod's log directory %s".formatted(file, folder));
        }
        return path.toString();
    }
}
