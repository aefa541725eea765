package dev.gantry.daemon;

import dev.gantry.linux.LockFile;
import dev.gantry.runtime.RuntimeErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes all parts of a running `gantryd` from its configuration, in the order in which they need
/// each other, and takes them down in the opposite one. Who makes what can be read here and nowhere else.
final class Daemon implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Daemon.class);

    private final Configuration configuration;
    private final Optional<Path> configurationFile;
    private final Identity identity;
    private final Parts parts = new Parts();

    private Daemon(Configuration configuration, Optional<Path> configurationFile, Identity identity) {
        this.configuration = configuration;
        this.configurationFile = configurationFile;
        this.identity = identity;
    }

    /// Serves when this returns. What was made before a failure is taken down again.
    ///
    /// @param configurationFile what to tell those who ask where the configuration comes from
    static Daemon start(Configuration configuration, Optional<Path> configurationFile, Identity identity) {
        Daemon daemon = new Daemon(configuration, configurationFile, identity);
        try {
            Stopwatch stopwatch = new Stopwatch();
            daemon.prepareHost();
            stopwatch.lap("host");
            NodeServices node = new NodeServices(configuration, identity, daemon.parts);
            stopwatch.lap("node");
            node.recover();
            stopwatch.lap("recovery");
            daemon.serve(node);
            stopwatch.lap("socket");
            log.debug("steps of the start, in milliseconds: {}", stopwatch);
            return daemon;
        } catch (RuntimeException failure) {
            try (Parts _ = daemon.parts) {
                throw failure;
            }
        }
    }

    /// The directories, the lock that keeps a second daemon out of them, and what the host must have.
    private void prepareHost() {
        Host host = Host.current();
        host.requireRoot();
        directory(configuration.root(), "rwx------");
        directory(configuration.state(), "rwx--x--x");
        parts.add(lock(configuration.root()));
        host.check(configuration).forEach(warning -> log.warn("{}", warning));
    }

    private void serve(NodeServices node) {
        GantryService gantry =
                new GantryService(node, new NodeInfo(configuration, configurationFile, node.cgroupDriver(), identity));
        CallServer server = CallServer.start(
                configuration.grpc(),
                List.of(gantry, node.runtime().service(), node.imageService()),
                failure -> RuntimeErrors.of(failure).getStatus());
        parts.add(() -> drain(server));
        parts.add(node.runtime()::endStreams);
    }

    private void drain(CallServer server) throws InterruptedException {
        if (!server.stop(configuration.drainTimeout())) {
            log.atWarn()
                    .addKeyValue("drain_timeout", configuration.drainTimeout())
                    .log("cancelled calls that had not finished");
        }
    }

    /// Ends the calls, then everything below them. Containers run on.
    @Override
    public void close() {
        parts.close();
    }

    /// Others may pass through the state directory to the socket, but see nothing of either.
    private static void directory(Path path, String permissions) {
        try {
            Files.createDirectories(path);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        } catch (IOException e) {
            throw new DaemonException.UnfitHost(List.of("cannot write directory " + path + ": " + e
                    + "; choose another by --root or --state, or mount its file system writable"));
        }
    }

    private static LockFile lock(Path root) {
        Path file = root.resolve("lock");
        return LockFile.tryLock(file)
                .orElseThrow(() -> new DaemonException.AlreadyRunning(
                        "another gantryd%s works with %s: stop it, or choose another --root and --state"
                                .formatted(
                                        LockFile.holder(file)
                                                .map(" (pid %d)"::formatted)
                                                .orElse(""),
                                        root)));
    }
}
