package dev.gantry.image;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/// Debian's docker-registry as a child process, with its files in a directory of the test.
final class LocalRegistry implements AutoCloseable {

    private static final Path BINARY = Path.of("/usr/bin/docker-registry");
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Process process;
    private final int port;

    private LocalRegistry(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    static LocalRegistry start(Path directory) throws IOException {
        return start(directory, "", "");
    }

    /// @param http a line for the section `http` of its configuration
    /// @param rest sections of their own, such as `auth`
    static LocalRegistry start(Path directory, String http, String rest) throws IOException {
        Assumptions.assumeTrue(Files.isExecutable(BINARY), "docker-registry is not installed: hack/setup does that");
        IOException failure = new IOException("no attempt");
        for (int attempt = 0; attempt < 5; attempt++) { // another process may take the port meanwhile
            try {
                return attempt(directory, http, rest, freePort());
            } catch (IOException e) {
                failure = e;
            }
        }
        throw failure;
    }

    private static LocalRegistry attempt(Path directory, String http, String rest, int port) throws IOException {
        Path configuration = directory.resolve("registry.yml");
        Files.writeString(configuration, """
                version: 0.1
                log: {level: error}
                storage: {filesystem: {rootdirectory: "%s"}, delete: {enabled: true}}
                http:
                  addr: 127.0.0.1:%d
                  %s
                %s
                """.formatted(directory.resolve("registry"), port, http, rest));
        Path log = directory.resolve("registry.log");
        Process process = new ProcessBuilder(List.of(BINARY.toString(), "serve", configuration.toString()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Instant end = Instant.now().plus(PATIENCE);
        while (process.isAlive() && Instant.now().isBefore(end)) {
            try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return new LocalRegistry(process, port);
            } catch (IOException _) {
                pause();
            }
        }
        process.destroyForcibly();
        throw new IOException("docker-registry did not start: " + Files.readString(log));
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// `127.0.0.1:port`.
    String host() {
        return "127.0.0.1:" + port;
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
    }
}
