package dev.gantry.shim;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.cri.containerd.task.v3.DeleteResponse;
import dev.gantry.linux.Poller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts shims, finds those again that an earlier daemon started, and cleans up after dead ones.
///
/// One thread serves the connections to all shims, one hands on their events. Shims live on when this is
/// closed. Thread-safe; for one bundle the caller makes one call at a time.
public final class Shims implements AutoCloseable {

    /// The namespace under which shims keep our containers apart from those of others.
    static final String NAMESPACE = "k8s.io";

    private static final Logger log = LoggerFactory.getLogger(Shims.class);

    private static final FileAttribute<?> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    /// How long a shim that was started before may take to answer.
    private static final Duration RECONNECT = Duration.ofSeconds(5);

    private static final Duration CLEANUP = Duration.ofSeconds(30);

    private final Poller poller;
    private final ShimAction action;
    private final ShimEvents events;
    private final TtrpcLoop loop;
    private final ShimConnections connections;
    private final Object streamLock = new Object();
    private @Nullable TtrpcLoop streams; // guarded by streamLock; not there before anybody has attached
    private volatile boolean closed;

    /// Listens for events from now on.
    ///
    /// @param state the daemon's folder for what need not survive a reboot; shims that can be told put their
    ///     sockets into `s` below it. Shims that cannot use a place of their own, `/run/containerd/s`.
    /// @param eventsSocket where shims send their events; its folder is made with mode 0700 if it is not
    ///     there. Shims derive their addresses from this path, so it must be unique on the machine, and the
    ///     same after a restart.
    /// @param poller reads the log output of shims
    public Shims(Path state, Path eventsSocket, TaskEvents listener, Poller poller) {
        this.poller = poller;
        Path sockets = state.resolve("s");
        try {
            Files.createDirectories(sockets, PRIVATE);
            if (eventsSocket.getParent() != null) {
                Files.createDirectories(eventsSocket.getParent(), PRIVATE);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the folders of shim sockets below " + state, e);
        }
        action = new ShimAction(eventsSocket, sockets);
        events = new ShimEvents(listener);
        loop = new TtrpcLoop("ttrpc");
        connections = new ShimConnections(loop, this::streamLoop);
        try {
            TtrpcServer.listen(loop, eventsSocket, events.methods(), Runnable::run); // closed by the loop
        } catch (IOException e) {
            close();
            throw new UncheckedIOException("cannot listen for the events of shims on " + eventsSocket, e);
        }
    }

    /// Starts a shim for a container, or finds the one of its pod.
    ///
    /// The bundle's `config.json` must be there: shims of version 2 read from its annotations
    /// (`io.kubernetes.cri.sandbox-id`) to which group the container belongs. A failure leaves no shim.
    ///
    /// @param group the pod's shim; one of version 3 takes the container without its binary being run again
    public Shim start(ShimBinary binary, Bundle bundle, String id, Optional<Shim> group, Duration within) {
        require(bundle, id);
        try {
            Files.writeString(bundle.binary(), binary.path().toString());
            if (group.isPresent() && group.get().bootstrap().version() >= 3) {
                group.get().bootstrap().write(bundle);
                return group.get();
            }
            return startNew(binary, bundle, within);
        } catch (IOException e) {
            throw new ShimException.StartFailed("cannot start a shim in " + bundle.directory(), e.toString(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ShimException.Unavailable("cannot start a shim in " + bundle.directory(), "interrupted", e);
        }
    }

    private static void require(Bundle bundle, String id) {
        if (!bundle.id().equals(id)) {
            throw new IllegalArgumentException("the bundle of %s is %s".formatted(id, bundle.directory()));
        }
    }

    private Shim startNew(ShimBinary binary, Bundle bundle, Duration within) throws IOException, InterruptedException {
        Deadline deadline = Deadline.in(within);
        Poller.Registration shimLog = ShimLog.open(poller, bundle);
        try {
            Bootstrap bootstrap = action.start(binary, bundle, within);
            bootstrap.write(bundle);
            Shim shim = connections.connect(bootstrap, bundle.id(), true, deadline);
            if (shim.isFirst(bundle.id())) {
                var _ = shim.closed().thenRun(shimLog::close);
            } else { // it writes into the log of the bundle that it was started with
                shimLog.close();
                Files.deleteIfExists(bundle.log());
            }
            return shim;
        } catch (IOException | InterruptedException | RuntimeException e) {
            shimLog.close();
            undo(binary, bundle, e);
            throw e;
        }
    }

    private void undo(ShimBinary binary, Bundle bundle, Exception failure) {
        boolean interrupted = Thread.interrupted(); // or what follows would end at once
        try {
            var _ = cleanup(binary, bundle, Bootstrap.read(bundle));
        } catch (IOException | InterruptedException | RuntimeException e) {
            failure.addSuppressed(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Finds the shim of a container that an earlier daemon started, and makes sure that it knows the
    /// container.
    ///
    /// Returns or fails within five seconds. `NotFound` if the bundle names no shim or the shim does not know
    /// the container, `Unavailable` if nobody is there, `TimedOut` if nobody answers: then [#cleanup] is due.
    public Shim reconnect(Bundle bundle, String id) {
        require(bundle, id);
        String attempt = "cannot reconnect to the shim of " + id;
        try {
            Bootstrap bootstrap = Bootstrap.read(bundle)
                    .orElseThrow(() -> new ShimException.NotFound(attempt, "its bundle names no shim"));
            Deadline deadline = Deadline.in(RECONNECT);
            Shim shim = connections.connect(bootstrap, id, false, deadline);
            if (Files.exists(bundle.log())) {
                Poller.Registration shimLog = ShimLog.open(poller, bundle);
                var _ = shim.closed().thenRun(shimLog::close);
            }
            var _ = shim.state(id, Optional.empty(), deadline.remaining());
            return shim;
        } catch (IOException | IllegalArgumentException e) {
            throw new ShimException.Unavailable(attempt, String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ShimException.Unavailable(attempt, "interrupted", e);
        }
    }

    /// Ends and removes what is left of a container, whatever state it and its shim are in: through the shim
    /// if that is alive and knows it, else by the binary's `delete` action, which kills its processes,
    /// removes it from runc and unmounts its root. A shim that holds no container any more is shut down, the
    /// socket of a dead one removed. The bundle stays. Can be repeated.
    ///
    /// @param binary used if the bundle does not say with which one the shim was started
    /// @return how the container ended, as far as it is known (mostly 137, with some shims also where there
    ///     never was a container); empty if nobody says anything
    public Optional<Exit> cleanup(ShimBinary binary, Bundle bundle, String id) {
        require(bundle, id);
        if (!Files.isDirectory(bundle.directory())) {
            return Optional.empty();
        }
        try {
            Optional<Bootstrap> address = address(bundle);
            if (address.isEmpty() && Files.exists(bundle.binary())) {
                endUnknown(binary, bundle);
            }
            return cleanup(binary, bundle, address);
        } catch (IOException e) {
            throw new ShimException.StartFailed("cannot clean up after the shim of " + id, e.toString(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ShimException.Unavailable("cannot clean up after the shim of " + id, "interrupted", e);
        }
    }

    private Optional<Exit> cleanup(ShimBinary binary, Bundle bundle, Optional<Bootstrap> address)
            throws IOException, InterruptedException {
        if (address.isPresent()) {
            Optional<Exit> exit = endKnown(address.get(), bundle);
            if (exit.isPresent()) {
                return exit;
            }
        }
        Path program = Files.exists(bundle.binary()) ? Path.of(Files.readString(bundle.binary())) : binary.path();
        Optional<byte[]> answer = action.delete(program, bundle, CLEANUP);
        if (answer.isEmpty()) {
            return Optional.empty();
        }
        DeleteResponse exit = DeleteResponse.parseFrom(answer.get());
        return Optional.of(Exit.of(exit.getExitStatus(), exit.getExitedAt()));
    }

    /// A shim whose daemon was killed while it started may still wait for a reader of its log, and answers nobody.
    private Optional<Exit> endKnown(Bootstrap address, Bundle bundle) throws InterruptedException {
        if (!Files.exists(bundle.log())) {
            return connections.end(address, bundle.id());
        }
        Poller.Registration shimLog = ShimLog.open(poller, bundle);
        try {
            return connections.end(address, bundle.id());
        } finally {
            shimLog.close();
        }
    }

    private static Optional<Bootstrap> address(Bundle bundle) throws IOException {
        try {
            return Bootstrap.read(bundle);
        } catch (IllegalArgumentException e) {
            log.atWarn().addKeyValue("bundle", bundle.directory()).setCause(e).log("the bundle names no usable shim");
            return Optional.empty();
        }
    }

    /// Ends a shim whose address nobody wrote down, because the daemon was killed while it started it. The
    /// binary is told to start again: then it tells the address of the shim that runs, or starts one that can
    /// be ended.
    private void endUnknown(ShimBinary binary, Bundle bundle) throws InterruptedException {
        Poller.Registration shimLog = ShimLog.open(poller, bundle); // a shim does not serve before its log is read
        try {
            var _ = connections.end(action.start(binary, bundle, RECONNECT), bundle.id());
        } catch (ShimException e) {
            log.atDebug().addKeyValue("container", bundle.id()).setCause(e).log("no shim to end");
        } finally {
            shimLog.close();
        }
    }

    /// What the binary says about itself; empty if it does not know the question, as those before containerd
    /// 2.0.
    public Optional<ShimInfo> info(ShimBinary binary) {
        String attempt = "cannot ask shim %s about itself".formatted(binary.path());
        try {
            Optional<byte[]> answer = action.info(binary, CLEANUP);
            return answer.isPresent() ? Optional.of(ShimInfo.parse(answer.get())) : Optional.empty();
        } catch (InvalidProtocolBufferException e) {
            throw new ShimException.StartFailed(attempt, "the answer is malformed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ShimException.Unavailable(attempt, "interrupted", e);
        }
    }

    /// Whether the connections were dropped by us: then a wait that fails says nothing about the container.
    public boolean isClosed() {
        return closed;
    }

    private TtrpcLoop streamLoop() {
        synchronized (streamLock) {
            TtrpcLoop present = streams;
            if (present == null) {
                present = new TtrpcLoop("shim-streams");
                streams = present;
                if (closed) {
                    present.close();
                }
            }
            return present;
        }
    }

    /// Drops all connections and stops listening for events. Shims and containers live on.
    @Override
    public void close() {
        closed = true;
        loop.close();
        synchronized (streamLock) {
            if (streams != null) {
                streams.close();
            }
        }
        events.close();
    }
}
