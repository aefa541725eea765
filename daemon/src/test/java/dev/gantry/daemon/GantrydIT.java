package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.gantry.v1.InfoRequest;
import dev.gantry.cri.gantry.v1.InfoResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The program `gantryd` of the distribution, as a service manager sees it.
@Timeout(120)
class GantrydIT {

    private static final Path PROGRAM = Scripts.tree().resolve("build/gantry/bin/gantryd");

    @TempDir
    private Path directory;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        for (Process process : started) {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void startsThroughASymlinkFromAnywhere() throws IOException, InterruptedException {
        Path link = Files.createSymbolicLink(directory.resolve("gantryd"), PROGRAM);
        Path second = Files.createSymbolicLink(directory.resolve("second"), link.getFileName());

        Process process = start(Path.of("/"), second.toString(), "version");

        assertThat(process.waitFor()).isZero();
        assertThat(output()).startsWith("gantryd ");
    }

    @Test
    void endsWellOnSigtermAndTakesItsSocketAlong() throws IOException, InterruptedException {
        Process daemon = serve();

        daemon.destroy();

        assertThat(daemon.waitFor()).isZero();
        assertThat(socket()).doesNotExist();
        assertThat(output())
                .contains("stopping; containers run on signal=SIGTERM")
                .endsWith("Gantryd: stopped\n");
    }

    @Test
    void tellsHowItIsSetUp() throws IOException, InterruptedException {
        Process daemon = serve("--set", "grpc.mode=0600");

        try (CriClient client = new CriClient(socket())) {
            InfoResponse info = client.gantry().info(InfoRequest.getDefaultInstance());
            assertThat(info.getPid()).isEqualTo(daemon.pid());
            assertThat(info.getRoot()).isEqualTo(directory.resolve("root").toString());
            assertThat(info.getHandlersList())
                    .extracting(InfoResponse.Handler::getName)
                    .containsExactly("runc");
        }
        assertThat(Files.getAttribute(socket(), "unix:mode")).isEqualTo(0140600);
    }

    @Test
    void letsNoSecondDaemonWorkWithTheSameRoot() throws IOException, InterruptedException {
        Process first = serve();

        Process second =
                start(directory, PROGRAM.toString(), "--root", directory + "/root", "--state", directory + "/other");

        assertThat(second.waitFor()).isEqualTo(1);
        assertThat(output())
                .contains("gantryd: another gantryd (pid %d) works with %s/root: stop it, or choose another --root"
                        .formatted(first.pid(), directory));
        assertThat(first.isAlive()).isTrue();
    }

    @Test
    void saysWhatTheHostLacks() throws IOException, InterruptedException {
        Process process = start(
                directory,
                arguments("--set", "runtime.handlers.runc.binary=/nowhere/runc").toArray(String[]::new));

        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(output())
                .isEqualTo("gantryd: finds no program at /nowhere/runc: correct runtime.handlers.runc.binary\n");
        assertThat(socket()).doesNotExist();
    }

    @Test
    void readsTheLevelOfItsLogAnewOnSighup() throws IOException, InterruptedException {
        Path config = Files.writeString(directory.resolve("config.toml"), "log.level = \"warn\"\n");
        Process daemon = serve("--config", config.toString());
        assertThat(output()).isEmpty();

        Files.writeString(config, "log.level = \"debug\"\n");
        hangUp(daemon);
        await("reloaded the log's settings; everything else needs a restart level=debug");

        Files.writeString(config, "log.level = \"loud\"\n");
        hangUp(daemon);
        await("cannot reload, going on as before: " + config + ":1:1: log.level must be one of");
        assertThat(daemon.isAlive()).isTrue();
    }

    private Process serve(String... more) throws IOException, InterruptedException {
        Process daemon = start(directory, arguments(more).toArray(String[]::new));
        while (!Files.exists(socket())) {
            assertThat(daemon.isAlive()).as(this::output).isTrue();
            TimeUnit.MILLISECONDS.sleep(10);
        }
        return daemon;
    }

    private List<String> arguments(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                PROGRAM.toString(),
                "--config",
                "/dev/null",
                "--root",
                directory + "/root",
                "--state",
                directory + "/state"));
        arguments.addAll(List.of(more));
        return arguments;
    }

    /// With SIGHUP as it is for a service, also where the tests run under nohup.
    private Process start(Path folder, String... command) throws IOException {
        List<String> words = new ArrayList<>(List.of("env", "--default-signal=HUP"));
        words.addAll(List.of(command));
        Process process = new ProcessBuilder(words)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
        started.add(process);
        return process;
    }

    private static void hangUp(Process process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-HUP", Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    private void await(String text) throws InterruptedException {
        while (!output().contains(text)) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private Path socket() {
        return directory.resolve("state/gantry.sock");
    }

    private Path log() {
        return directory.resolve("log");
    }

    private String output() {
        try {
            return Files.readString(log(), UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
