package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.oci.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// The command line client of the CRI, which nobody here wrote, talking to a node.
///
/// @param program built once by `hack/tool`
/// @param directory for its configuration and what it is given
record Crictl(Path program, Path socket, Path directory) {

    private static final long SECONDS = 120;

    static Crictl of(ChildNode node) throws IOException {
        Path program =
                Path.of(Scripts.run("tool", List.of("crictl")).lines().toList().getLast());
        Path directory = Files.createDirectories(node.directory().resolve("crictl"));
        Files.writeString(directory.resolve("crictl.yaml"), "timeout: 60\n");
        return new Crictl(program, node.state().resolve("gantry.sock"), directory);
    }

    /// How a command ended.
    record Ended(int code, String output, String errors) {}

    /// A command that runs; what it prints goes to files.
    record Running(Process process, Path output, Path errors) {

        Ended end() throws IOException, InterruptedException {
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("crictl did not end: " + Files.readString(output) + Files.readString(errors));
            }
            return new Ended(process.exitValue(), Files.readString(output), Files.readString(errors));
        }

        String printed() {
            return ChildNode.proc(output);
        }

        void type(String text) throws IOException {
            process.getOutputStream().write(text.getBytes(UTF_8));
            process.getOutputStream().flush();
        }
    }

    Running start(String... arguments) throws IOException {
        return start(List.of(), arguments);
    }

    /// @param wrapper what the client runs under, such as a program that gives it a terminal
    Running start(List<String> wrapper, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(wrapper);
        command.addAll(
                List.of(program.toString(), "--config", file("crictl.yaml").toString()));
        command.addAll(List.of("--runtime-endpoint", "unix://" + socket, "--image-endpoint", "unix://" + socket));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(directory, "out", "");
        Path errors = Files.createTempFile(directory, "err", "");
        Process process = new ProcessBuilder(command)
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        return new Running(process, output, errors);
    }

    Ended end(String... arguments) throws IOException, InterruptedException {
        Running running = start(arguments);
        running.process().getOutputStream().close();
        return running.end();
    }

    /// What a command prints that must succeed.
    String run(String... arguments) throws IOException, InterruptedException {
        Ended ended = end(arguments);
        assertThat(ended.code()).as(() -> List.of(arguments) + ": " + ended).isZero();
        return ended.output().strip();
    }

    /// As [#run], of a command that prints JSON.
    JsonTree json(String... arguments) throws IOException, InterruptedException {
        String output = run(arguments);
        return new JsonTree(Json.parse(output.getBytes(UTF_8), String.join(" ", arguments)));
    }

    /// Writes a file that a command reads.
    String write(String name, String content) throws IOException {
        return Files.writeString(file(name), content).toString();
    }

    private Path file(String name) {
        return directory.resolve(name);
    }
}
