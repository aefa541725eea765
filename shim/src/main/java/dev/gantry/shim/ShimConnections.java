package dev.gantry.shim;

import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One connection to each running shim, by the file of its socket. Thread-safe.
final class ShimConnections {

    private static final Logger log = LoggerFactory.getLogger(ShimConnections.class);

    private static final Duration ANSWER = Duration.ofSeconds(2);
    private static final int S_IFMT = 0170000;
    private static final int S_IFSOCK = 0140000;

    private final TtrpcLoop loop;
    private final Supplier<TtrpcLoop> streams;
    private final Map<Path, Shim> connected = new ConcurrentHashMap<>();

    /// @param streams the loop for clients that attach to processes
    ShimConnections(TtrpcLoop loop, Supplier<TtrpcLoop> streams) {
        this.loop = loop;
        this.streams = streams;
    }

    /// The shim that listens at an address.
    ///
    /// @param id a container for which the shim was started; it need not know it
    /// @param mayAppear whether to wait for a socket that is not there yet
    Shim connect(Bootstrap bootstrap, String id, boolean mayAppear, Deadline deadline)
            throws IOException, InterruptedException {
        Shim present = connected.get(bootstrap.socket());
        if (present != null && !present.isClosed()) {
            return present;
        }
        Shim shim = dial(bootstrap, id, mayAppear, deadline);
        Shim other = connected.putIfAbsent(bootstrap.socket(), shim);
        if (other != null && !other.isClosed()) { // another thread was quicker
            shim.disconnect();
            return other;
        }
        connected.put(bootstrap.socket(), shim);
        var _ = shim.closed().thenRun(() -> connected.remove(bootstrap.socket(), shim));
        return shim;
    }

    private Shim dial(Bootstrap bootstrap, String id, boolean mayAppear, Deadline deadline)
            throws IOException, InterruptedException {
        TtrpcClient client = TtrpcClient.dial(loop, bootstrap.socket(), mayAppear, deadline);
        try {
            return Shim.connect(client, bootstrap, id, deadline.remaining(), streams);
        } catch (RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /// Ends a container through its shim, if that is alive and knows it, and the shim too if it holds no
    /// other then. Removes the socket of a shim that is dead: some versions leave theirs in a folder that all
    /// daemons share.
    ///
    /// @return how the container ended; empty if the shim could not end it
    Optional<Exit> end(Bootstrap bootstrap, String id) throws InterruptedException {
        try {
            Shim shim = dial(bootstrap, id, false, Deadline.in(ANSWER));
            try {
                Optional<Exit> exit = shim.end(id);
                shim.shutdown(id);
                return exit;
            } finally {
                shim.disconnect();
            }
        } catch (ConnectException e) {
            removeSocket(bootstrap.socket());
        } catch (IOException | ShimException e) {
            log.atDebug().addKeyValue("container", id).setCause(e).log("no shim to end the container");
        }
        return Optional.empty();
    }

    private static void removeSocket(Path file) {
        try {
            // What listens nowhere could also be a regular file, if the bundle was tampered with.
            if (Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS) instanceof Integer mode
                    && (mode & S_IFMT) == S_IFSOCK) {
                Files.delete(file);
            }
        } catch (IOException e) {
            log.atDebug().addKeyValue("socket", file).setCause(e).log("cannot remove the socket of a dead shim");
        }
    }
}
