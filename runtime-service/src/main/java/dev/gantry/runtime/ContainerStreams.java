package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.linux.Poller;
import dev.gantry.shim.Bundle;
import dev.gantry.shim.StdioFifos;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;

/// Opens the streams of containers: before their start, and again after a restart of the daemon.
final class ContainerStreams {

    private static final String NAME = "container";

    private final Poller poller;
    private final int maxLogLine;
    private final Clock clock;

    /// @param maxLogLine in bytes; longer lines are split
    ContainerStreams(Poller poller, int maxLogLine, Clock clock) {
        this.poller = poller;
        this.maxLogLine = maxLogLine;
        this.clock = clock;
    }

    ContainerIo open(Container container, Bundle bundle) {
        return FifoContainerIo.open(
                log(container),
                (stdout, stderr) ->
                        StdioFifos.create(poller, directory(bundle), NAME, streams(container), stdout, stderr));
    }

    /// The streams of a container that another daemon started.
    ContainerIo reopen(Container container, Bundle bundle) {
        return FifoContainerIo.open(
                log(container),
                (stdout, stderr) ->
                        StdioFifos.reopen(poller, directory(bundle), NAME, streams(container), stdout, stderr));
    }

    static Path directory(Bundle bundle) {
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
