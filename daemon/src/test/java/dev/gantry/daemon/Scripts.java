package dev.gantry.daemon;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// Runs the scripts of `hack/`.
final class Scripts {

    private static final int MINUTES = 10;

    private Scripts() {}

    /// Runs one to its end and returns what it printed on either stream.
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

    /// Runs a script of the tests' resources in `hack/node-vm`, with the distribution, the tests' classes and the JDK
    /// as
    /// its arguments, and returns what it printed.
    ///
    /// @param share   the folder that the VM has of us; the script is copied there
    /// @param options of `node-vm`
    static String runInVm(String script, Path share, List<String> options) throws IOException {
        Files.copy(tree().resolve("daemon/src/test/resources").resolve(script), share.resolve(script));
        List<String> needed = List.of(
                run("build", List.of()).lines().toList().getLast(),
                tree().resolve("daemon/target/test-classes").toString(),
                System.getProperty("java.home"));
        List<String> arguments = new ArrayList<>(options);
        needed.forEach(it -> arguments.addAll(List.of("-r", it)));
        arguments.addAll(List.of(share.toString(), "bash", script));
        arguments.addAll(needed);
        return run("node-vm", arguments);
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
}
