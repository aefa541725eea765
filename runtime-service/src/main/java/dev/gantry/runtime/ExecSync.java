package dev.gantry.runtime;

import com.google.protobuf.ByteString;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Spec;
import dev.gantry.linux.Poller;
import dev.gantry.linux.Signals;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.shim.Exit;
import dev.gantry.shim.Shim;
import dev.gantry.shim.ShimException;
import dev.gantry.shim.StdioFifos;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs a command in a container and answers with its output and exit code (CRI `ExecSync`).
final class ExecSync {

    private static final Logger log = LoggerFactory.getLogger(ExecSync.class);

    /// A container's author decides how much a command prints (CVE-2022-31030): the rest is read and dropped. Both
    /// streams, the exit code and the fields' tags fit into the 16 MiB that the kubelet takes as an answer.
    static final int MAX_OUTPUT = (16 << 20) - 64;
    private static final Duration FOREVER = Duration.ofDays(365);
    /// Something that the command left running may hold its output open.
    private static final Duration DRAIN = Duration.ofSeconds(2);
    private static final Duration DEATH = Duration.ofSeconds(10);

    private final Containers containers;
    private final ContainerParts parts;
    private final Poller poller;

    ExecSync(Containers containers, ContainerParts parts, Poller poller) {
        this.containers = containers;
        this.parts = parts;
        this.poller = poller;
    }

    /// What a command printed, together cut at [#MAX_OUTPUT], and how it ended.
    record Result(ByteString output, ByteString errors, int exitCode) {}

    /// @param timeout zero means no limit
    /// @throws ContainerException.TimedOut when the command was killed because it took too long
    Result run(String id, List<String> command, Duration timeout) throws InterruptedException {
        Container container = containers.get(id);
        if (command.isEmpty()) {
            throw new ContainerException.InvalidRequest(
                    "cannot execute in container %s: no command given".formatted(container.id()));
        }
        LiveContainers.Live live = containers.running(container, "execute in");
        String exec = SandboxId.random().value();
        Path directory = ContainerStreams.directory(parts.bundle(container.id()));
        AtomicInteger room = new AtomicInteger(MAX_OUTPUT);
        ExecOutput output = new ExecOutput(directory.resolve(exec + ".out"), room);
        ExecOutput errors = new ExecOutput(directory.resolve(exec + ".err"), room);
        StdioFifos fifos =
                StdioFifos.create(poller, directory, exec, new StdioFifos.Streams(false, false), output, errors);
        try {
            int code = execute(container, live.shim, exec, process(container, live, command), fifos, timeout);
            return new Result(output.bytes(), errors.bytes(), code);
        } finally {
            fifos.delete();
            output.close();
            errors.close();
        }
    }

    private int execute(Container container, Shim shim, String exec, byte[] process, StdioFifos fifos, Duration timeout)
            throws InterruptedException {
        String id = container.id();
        shim.exec(id, exec, process, fifos.stdio());
        try {
            CompletableFuture<Exit> exit = shim.wait(id, Optional.of(exec));
            shim.startExec(id, exec);
            Exit ended = await(container, shim, exec, exit, timeout);
            drain(fifos);
            return ended.status();
        } finally {
            delete(shim, id, exec);
        }
    }

    private static Exit await(
            Container container, Shim shim, String exec, CompletableFuture<Exit> exit, Duration timeout)
            throws InterruptedException {
        try {
            return exit.get((timeout.isPositive() ? timeout : FOREVER).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
            kill(shim, container.id(), exec, exit);
            throw new ContainerException.TimedOut("command in container %s timed out: it was killed after %d s"
                    .formatted(container.id(), timeout.toSeconds()));
        } catch (ExecutionException e) {
            throw new ContainerException.Failed(
                    "cannot learn how the command in container %s ended".formatted(container.id()), e.getCause());
        } catch (InterruptedException e) {
            kill(shim, container.id(), exec, exit);
            throw e;
        }
    }

    private static void kill(Shim shim, String id, String exec, CompletableFuture<Exit> exit) {
        try {
            shim.kill(id, Optional.of(exec), Signals.KILL, false);
            exit.get(DEATH.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ShimException.NotFound _) {
            // It has just ended.
        } catch (ShimException | ExecutionException | TimeoutException e) {
            log.atWarn().addKeyValue("container", id).setCause(e).log("cannot kill a command whose time is up");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void drain(StdioFifos fifos) throws InterruptedException {
        try {
            fifos.drained().get(DRAIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
            log.debug("something that a command left running holds its output open");
        } catch (ExecutionException e) {
            throw new IllegalStateException("cannot read the output of a command", e.getCause());
        }
    }

    private static void delete(Shim shim, String id, String exec) {
        try {
            shim.delete(id, Optional.of(exec));
        } catch (ShimException.NotFound _) {
            // The start failed, or the container has ended and took it along.
        } catch (ShimException e) {
            log.atWarn().addKeyValue("container", id).setCause(e).log("the shim did not delete an ended command");
        }
    }

    /// The container's own process with another command line: same user, rights and environment.
    private byte[] process(Container container, LiveContainers.Live live, List<String> command) {
        OciProcess own = live.process(() -> ownProcess(container));
        return own.toBuilder().args(command).terminal(false).build().toJson();
    }

    private OciProcess ownProcess(Container container) {
        try {
            byte[] config = Files.readAllBytes(parts.bundle(container.id()).config());
            OciProcess own = Spec.parse(config, "config.json of container " + container.id())
                    .process();
            if (own == null) {
                throw new IllegalStateException("the bundle of container %s has no process".formatted(container.id()));
            }
            return own;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the bundle of container " + container.id(), e);
        }
    }
}
