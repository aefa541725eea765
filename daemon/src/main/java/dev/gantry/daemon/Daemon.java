package dev.gantry.daemon;

import dev.gantry.cri.gantry.v1.GantryGrpc;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// Makes all parts of a running `gantryd` from its configuration, in the order in which they need
/// each other, and takes them down in the opposite one. Who makes what can be read here and nowhere else.
final class Daemon implements AutoCloseable {

    private final Configuration configuration;
    private final CallServer server;

    private Daemon(Configuration configuration, CallServer server) {
        this.configuration = configuration;
        this.server = server;
    }

    /// Serves when this returns. What was made before a failure is taken down again.
    static Daemon start(Configuration configuration, Identity identity) {
        directory(configuration.root(), "rwx------");
        directory(configuration.state(), "rwx--x--x");
        CallServer server = CallServer.start(
                configuration.grpc(), List.of(new GantryGrpc.GantryImplBase() {}), _ -> Status.INTERNAL);
        return new Daemon(configuration, server);
    }

    /// Ends the calls, then everything below them. Containers run on.
    @Override
    public void close() {
        try {
            server.stop(configuration.drainTimeout());
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Others may pass through the state directory to the socket, but see nothing of either.
    private static void directory(Path path, String permissions) {
        try {
            Files.createDirectories(path);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make directory " + path, e);
        }
    }
}
