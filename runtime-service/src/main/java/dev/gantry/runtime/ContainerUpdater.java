package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.sandbox.BundleFiles;
import dev.gantry.sandbox.Rollback;
import dev.gantry.shim.Bundle;
import dev.gantry.storage.Change;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Changes the limits of a container (CRI `UpdateContainerResources`): at once where it runs, else for its start.
///
/// What the request leaves out stays as it is. Nothing has changed when an update fails: the OCI runtime puts back what
/// it had set, and the bundle is put back here.
final class ContainerUpdater {

    private static final Logger log = LoggerFactory.getLogger(ContainerUpdater.class);

    private final ContainerParts parts;
    private final OomScores oomScores;

    ContainerUpdater(ContainerParts parts) {
        this.parts = parts;
        this.oomScores = new OomScores(parts.cgroups());
    }

    /// The caller holds the container's lock, which readers do not need.
    void update(Container container, LinuxContainerResources change) {
        String id = container.id();
        if (container.state() != ContainerState.CREATED && container.state() != ContainerState.RUNNING) {
            throw new ContainerException.WrongState(
                    "cannot update the resources of container %s: it is %s".formatted(id, container.state()));
        }
        Container updated = container.limited(MergedResources.of(container.resources(), change));
        ContainerSpecs specs = parts.specs();
        Bundle bundle = parts.bundle(id);
        byte[] before = BundleFiles.readConfig(bundle);
        byte[] after = LimitedSpec.of(before, specs.limits(updated.resources()), specs.oomScore(updated.resources()));
        Rollback rollback = new Rollback();
        try {
            rollback.onFailure(() -> BundleFiles.replaceConfig(bundle, before));
            BundleFiles.replaceConfig(bundle, after);
            if (container.state() == ContainerState.RUNNING) {
                apply(container, updated, rollback);
            }
            parts.store().commit(Change.empty().put(ContainerRows.KIND, updated));
        } catch (RuntimeException e) {
            rollback.undo(e);
            throw new ContainerException.Failed(
                    "cannot update the resources of container %s (%s)"
                            .formatted(id, container.config().getMetadata().getName()),
                    e);
        }
        log.atInfo().addKeyValue("container", id).log("resources updated");
    }

    private void apply(Container before, Container after, Rollback rollback) {
        ContainerSpecs specs = parts.specs();
        LiveContainers.Live live = parts.live()
                .find(before.id())
                .orElseThrow(() -> new ContainerException.WrongState("it does not run any more"));
        live.shim.update(before.id(), specs.update(after.resources()).toJson());
        rollback.onFailure(() ->
                live.shim.update(before.id(), specs.update(before.resources()).toJson()));
        oomScores.change(before.cgroupPath(), specs.oomScore(before.resources()), specs.oomScore(after.resources()));
    }
}
