package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.linux.Poller;
import dev.gantry.shim.Bundle;
import dev.gantry.shim.Shim;
import dev.gantry.shim.ShimStreams;
import dev.gantry.shim.Stdio;
import dev.gantry.shim.StdioFifos;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.Executor;

/// Opens the streams of containers, before their start and again after a restart of the daemon, and those of execs.
final class ContainerStreams {

    private static final String NAME = "container";

    private final Poller poller;
    private final int maxLogLine;
    private final Executor worker;
    private final Clock clock;

    /// @param maxLogLine in bytes; longer lines are split
    /// @param worker     for what blocks for a moment
    ContainerStreams(Poller poller, int maxLogLine, Executor worker, Clock clock) {
        this.poller = poller;
        this.maxLogLine = maxLogLine;
        this.worker = worker;
        this.clock = clock;
    }

    /// The streams of a container that is about to be created. What the shim can do by itself is left to it.
    ContainerIo open(Container container, Bundle bundle, Shim shim) {
        if (shim.streams().isPresent()) {
            ShimContainerIo.makeFolders(container);
            return ShimContainerIo.of(shim.streams().get(), container, maxLogLine);
        }
        return open(
                container,
                shim,
                (stdout, stderr) ->
                        StdioFifos.create(poller, directory(bundle), NAME, streams(container), stdout, stderr));
    }

    /// The streams of a container that another daemon started.
    ///
    /// @param made what the shim was told then
    ContainerIo reopen(Container container, Bundle bundle, Shim shim, Stdio made) {
        if (shim.streams().isPresent() && ShimStreams.serves(made)) {
            return ShimContainerIo.of(shim.streams().get(), container, maxLogLine);
        }
        return open(
                container,
                shim,
                (stdout, stderr) ->
                        StdioFifos.reopen(poller, directory(bundle), NAME, streams(container), stdout, stderr));
    }

    private ContainerIo open(Container container, Shim shim, FifoContainerIo.Opening opening) {
        return FifoContainerIo.open(
                log(container),
                container.config().getStdinOnce(),
                opening,
                () -> shim.closeIo(container.id(), Optional.empty()),
                worker);
    }

    /// The streams of a process that is to be added to a running container under the name `exec`.
    ProcessIo exec(Container container, Bundle bundle, Shim shim, String exec, StdioFifos.Streams wanted) {
        if (shim.streams().isPresent()) {
            Stdio stdio = ShimStreams.attached(wanted.stdin(), true, wanted.terminal());
            return new ShimProcessIo(shim.streams().get(), container.id(), Optional.of(exec), stdio, true);
        }
        return FifoExecIo.open(
                (stdout, stderr) -> StdioFifos.create(poller, directory(bundle), exec, wanted, stdout, stderr),
                () -> shim.closeIo(container.id(), Optional.of(exec)),
                worker);
    }

    private static Path directory(Bundle bundle) {
        return bundle.directory().resolve("io");
    }

    private Optional<CriLogWriter> log(Container container) {
        return container.logPath().isEmpty()
                ? Optional.empty()
                : Optional.of(new CriLogWriter(Path.of(container.logPath()), maxLogLine, clock));
    }

    private static StdioFifos.Streams streams(Container container) {
        ContainerConfig config = container.config();
        return new StdioFifos.Streams(config.getStdin(), config.getTty());
    }
}
