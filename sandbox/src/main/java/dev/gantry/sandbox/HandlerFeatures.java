package dev.gantry.sandbox;

import dev.gantry.cri.oci.Features;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.HostFacts;
import dev.gantry.linux.IdMapping;
import dev.gantry.linux.NetworkNamespaces;
import dev.gantry.linux.Trees;
import dev.gantry.linux.UserNamespaces;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.Snapshotters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What pods of each runtime handler can have. Nothing is promised before the handler's own OCI runtime, the kernel and
/// the file system have been asked, which happens at the first question. Thread-safe.
public final class HandlerFeatures {

    private static final Logger log = LoggerFactory.getLogger(HandlerFeatures.class);
    private static final Duration RETRY = Duration.ofMinutes(1);
    /// Any will do: it is the file system that is tried.
    private static final IdMapping TRIAL = new IdMapping(0, 65536, 65536);

    private final RuntimeProbe runtimes = new RuntimeProbe();
    private final Remembered<String, Boolean> shifting = new Remembered<>(RETRY);
    private final Snapshotters snapshotters;
    private final UserNamespaces namespaces;
    private final Path state;

    /// @param state where a namespace can be pinned for a moment
    public HandlerFeatures(Snapshotters snapshotters, UserNamespaces namespaces, Path state) {
        this.snapshotters = snapshotters;
        this.namespaces = namespaces;
        this.state = state;
    }

    /// Whether a mount and all below it can be made read-only.
    public boolean recursiveReadOnly(RuntimeHandler handler) {
        return features(handler).mountOptions().contains("rro");
    }

    /// Whether mounts can have id mappings of their own.
    public boolean idMappedMounts(RuntimeHandler handler) {
        return features(handler).idmap();
    }

    /// Why pods of the handler cannot have a user namespace of their own; empty if they can.
    public Optional<String> noUserNamespaces(RuntimeHandler handler) {
        Features features = features(handler);
        if (!features.namespaces().contains("user") || !features.idmap()) {
            return Optional.of("%s knows no user namespaces with id-mapped mounts (runc does from 1.2 on)"
                    .formatted(handler.ociRuntime().map(Path::toString).orElse("its shim")));
        }
        if (!HostFacts.kernel().atLeast(5, 19)) {
            return Optional.of("the kernel is older than 5.19, whose overlayfs cannot shift ids");
        }
        Snapshotter snapshotter = snapshotters.get(handler.snapshotter());
        if (!snapshotter.shiftsIds()) {
            return Optional.of("its snapshotter %s cannot shift ids".formatted(snapshotter.name()));
        }
        return shifting.get(snapshotter.name(), _ -> tryShifting(snapshotter)).isPresent()
                ? Optional.empty()
                : Optional.of("the file system of %s cannot shift ids here, see the log".formatted(snapshotter.root()));
    }

    /// What is known to be wrong with the handler's OCI runtime.
    public Optional<String> flaws(RuntimeHandler handler) {
        return handler.ociRuntime().flatMap(it -> RuntimeProbe.flaws(runtimes.ask(it)));
    }

    private Features features(RuntimeHandler handler) {
        return handler.ociRuntime().map(it -> runtimes.ask(it).features()).orElse(Features.NONE);
    }

    private Optional<Boolean> tryShifting(Snapshotter snapshotter) {
        Path trial = null;
        try {
            trial = Files.createTempDirectory(state, "trial");
            Path pin = trial.resolve("user");
            namespaces.create(TRIAL, TRIAL, pin, Optional.empty());
            try {
                UserNamespaces.checkMount(snapshotter.root(), pin);
            } finally {
                NetworkNamespaces.remove(pin);
            }
            return Optional.of(true);
        } catch (IOException | UncheckedIOException | ErrnoException | IllegalStateException e) {
            log.atWarn()
                    .addKeyValue("snapshotter", snapshotter.name())
                    .setCause(e)
                    .log("pods cannot have user namespaces of their own");
            return Optional.empty();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } finally {
            if (trial != null) {
                Trees.delete(trial);
            }
        }
    }
}
