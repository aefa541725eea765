package dev.gantry.daemon;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A node that `hack/node` starts from the distribution in a folder of its own. Closing it fails if it leaves anything.
///
/// Runs the distribution's shim, and Debian's runc unless `GANTRY_RUNC` names another, as `hack/test` does.
final class TestNode implements AutoCloseable {

    private static final Pattern BRIDGE = Pattern.compile("\"bridge\" *: *\"(gn([0-9a-f]+))\"");
    private static final int MINUTES = 10;

    private final Path directory;

    private TestNode(Path directory) {
        this.directory = directory;
    }

    /// @param settings `key=value`, over the configuration
    static TestNode start(String... settings) throws IOException {
        Path directory = Files.createTempDirectory("gantry-it");
        List<String> command = new ArrayList<>(List.of("up", directory.toString()));
        setting("runtime.handlers.runc.binary", "GANTRY_RUNC").ifPresent(command::add);
        command.addAll(List.of(settings));
        run("node", command);
        return new TestNode(directory);
    }

    private static Optional<String> setting(String key, String variable) {
        return Optional.ofNullable(System.getenv(variable)).map(value -> key + "=" + value);
    }

    /// Runs a script of `hack/` to its end and returns what it printed on either stream.
    static String run(String script, List<String> arguments) throws IOException {
        List<String> command =
                new ArrayList<>(List.of(tree().resolve("hack").resolve(script).toString()));
        command.addAll(arguments);
        Path output = Files.createTempFile("gantry-it", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!ends(process)) {
                process.destroy();
                throw new AssertionError(command + " did not end within " + MINUTES + " minutes");
            }
            String text = Files.readString(output, StandardCharsets.UTF_8);
            if (process.exitValue() != 0) {
                throw new AssertionError(command + " ended with " + process.exitValue() + ":\n" + text);
            }
            return text;
        } finally {
            Files.delete(output);
        }
    }

    private static boolean ends(Process process) {
        try {
            return process.waitFor(MINUTES, TimeUnit.MINUTES);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /// The root of the source tree.
    static Path tree() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isRegularFile(folder.resolve("hack/lib.sh"))) {
            folder = Optional.ofNullable(folder.getParent())
                    .orElseThrow(() -> new IllegalStateException("not within the source tree"));
        }
        return folder;
    }

    /// Ends the daemon as a crash would. Containers run on.
    void kill() throws InterruptedException {
        ProcessHandle daemon = ProcessHandle.of(pid()).orElseThrow();
        daemon.destroyForcibly();
        while (daemon.isAlive()) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
    }

    /// Starts a daemon in the same folder again, as it was set up.
    void restart() throws IOException {
        run("node", List.of("up", directory.toString()));
    }

    Path directory() {
        return directory;
    }

    Path socket() {
        return directory.resolve("gantry.sock");
    }

    long pid() {
        return Long.parseLong(read(directory.resolve("gantryd.pid")).strip());
    }

    /// The network bridge of its pods.
    String bridge() {
        return name().group(1);
    }

    /// The cgroup under which all its pods are.
    String cgroup() {
        return "gantry-" + name().group(2);
    }

    private Matcher name() {
        try (Stream<Path> files = Files.list(directory.resolve("cni/net.d"))) {
            return files.map(file -> BRIDGE.matcher(read(file)))
                    .filter(Matcher::find)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no network in " + directory));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        run("node", List.of("down", directory.toString()));
        try (Stream<Path> rest = Files.walk(directory)) {
            rest.sorted(Comparator.reverseOrder()).forEach(it -> it.toFile().delete());
        }
    }
}
