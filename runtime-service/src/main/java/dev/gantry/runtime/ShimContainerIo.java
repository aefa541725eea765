package dev.gantry.runtime;

import dev.gantry.shim.LogCounters;
import dev.gantry.shim.ShimException;
import dev.gantry.shim.ShimStreams;
import dev.gantry.shim.Stdio;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// Container IO by our own shim, which writes the log whether or not the daemon is there.
final class ShimContainerIo extends ShimProcessIo implements ContainerIo {

    /// Without a log a process would wait for its slowest client, as a command does.
    private static final Path NOWHERE = Path.of("/dev/null");

    private final ShimStreams streams;
    private final String container;
    private final boolean logged;

    private ShimContainerIo(ShimStreams streams, String container, Stdio stdio, boolean stdinOnce, boolean logged) {
        super(streams, container, Optional.empty(), stdio, stdinOnce);
        this.streams = streams;
        this.container = container;
        this.logged = logged;
    }

    /// The folders above the log must be there; see [#makeFolders].
    ///
    /// @param maxLine in bytes; longer lines are split in the log
    static ShimContainerIo of(ShimStreams streams, Container container, int maxLine) {
        var config = container.config();
        boolean logged = !container.logPath().isEmpty();
        Stdio stdio = ShimStreams.logged(
                logged ? Path.of(container.logPath()) : NOWHERE,
                maxLine,
                config.getStdin(),
                config.getStdinOnce(),
                config.getTty());
        return new ShimContainerIo(streams, container.id(), stdio, config.getStdinOnce(), logged);
    }

    /// The kubelet makes the folders above a log, other clients may not.
    static void makeFolders(Container container) {
        Path folder = container.logPath().isEmpty()
                ? null
                : Path.of(container.logPath()).getParent();
        try {
            if (folder != null) {
                Files.createDirectories(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make the folder of container log " + container.logPath(), e);
        }
    }

    @Override
    public void reopenLog() {
        if (logged) {
            streams.reopenLog(container);
        }
    }

    @Override
    public Optional<LogCounters> logCounters() {
        if (!logged) {
            return Optional.empty();
        }
        try {
            return Optional.of(streams.logCounters(container));
        } catch (ShimException.NotFound | ShimException.Unavailable _) {
            return Optional.empty(); // it has just ended
        }
    }
}
