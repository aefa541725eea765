package dev.gantry.daemon;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;

/// Finds programs as a shell does: a name in the folders of a search path, an absolute path as it is.
///
/// @param searchPath folders, separated by colons
record Programs(String searchPath) {

    /// Where distributions put runtimes and shims, for a daemon that was started with a poor environment.
    private static final String USUAL = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// Of this process. The distribution's own programs, which belong to the daemon, win over others of their name.
    static Programs ofEnvironment() {
        String path = System.getenv().getOrDefault("PATH", USUAL);
        String home = System.getProperty("gantry.home");
        return new Programs(home == null ? path : home + "/libexec:" + path);
    }

    Optional<Path> find(String nameOrPath) {
        Stream<Path> candidates = nameOrPath.startsWith("/")
                ? Stream.of(Path.of(nameOrPath))
                : Arrays.stream(searchPath.split(":", -1))
                        .filter(folder -> folder.startsWith("/"))
                        .map(folder -> Path.of(folder, nameOrPath));
        return candidates
                .filter(path -> Files.isRegularFile(path) && Files.isExecutable(path))
                .findFirst();
    }
}
