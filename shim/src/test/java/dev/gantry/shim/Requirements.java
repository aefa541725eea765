package dev.gantry.shim;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/// What tests with real shims need of the host.
final class Requirements {

    private Requirements() {}

    static void check() {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        assumeTrue(Files.isExecutable(Path.of("/usr/sbin/runc")), "runc is not installed");
        assumeTrue(Files.isExecutable(Path.of("/bin/busybox")), "busybox-static is not installed");
    }

    /// The binary that the environment names, or the one that `hack/tool` has built into its cache; this
    /// builds none.
    static Optional<Path> tool(String variable, String name) {
        String given = System.getenv(variable);
        if (given != null) {
            return Optional.of(Path.of(given));
        }
        String cache = System.getenv().getOrDefault("GANTRY_CACHE", System.getProperty("user.home") + "/.cache/gantry");
        Path tools = Path.of(cache, "tools");
        if (!Files.isDirectory(tools)) {
            return Optional.empty();
        }
        try (Stream<Path> folders = Files.list(tools)) {
            return folders.map(folder -> folder.resolve(name))
                    .filter(Files::isExecutable)
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
