package dev.gantry.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.linux.HostFacts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The program of the pause container, as the build made it.
@Timeout(30)
class PauseIT {

    private static final String PROGRAM =
            Path.of("target/pause").toAbsolutePath().toString();

    @Test
    void printsItsVersion() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(PROGRAM, "-v").start();

        assertThat(new String(process.getInputStream().readAllBytes(), UTF_8)).matches("pause \\d+\\.\\d+\\.\\d+.*\n");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void waitsUntilItIsToldToEnd() throws IOException, InterruptedException {
        for (String signal : new String[] {"TERM", "INT"}) {
            Process process = new ProcessBuilder(PROGRAM).start();
            assertThat(process.waitFor(300, TimeUnit.MILLISECONDS)).isFalse();

            run("kill", "-" + signal, Long.toString(process.pid()));

            assertThat(process.waitFor()).isZero();
        }
    }

    @Test
    void reapsOrphansAndEndsAsTheFirstProcessOfANamespace() throws IOException, InterruptedException {
        assumeTrue(HostFacts.isRoot(), "a PID namespace needs root");
        Process outside = new ProcessBuilder("unshare", "--pid", "--fork", "--kill-child", PROGRAM).start();
        try {
            while (outside.children().findAny().isEmpty()) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            ProcessHandle pause = outside.children().findAny().orElseThrow();
            while (!pause.info().command().equals(Optional.of(PROGRAM))) {
                TimeUnit.MILLISECONDS.sleep(10);
            }

            for (int i = 0; i < 5; i++) {
                run("nsenter", "--target", Long.toString(pause.pid()), "--pid", "sh", "-c", "sleep 0.2 & exit");
            }
            assertThat(pause.children()).as("its children, the orphans").isNotEmpty();
            while (pause.children().findAny().isPresent()) { // the dead that nobody has fetched count too
                TimeUnit.MILLISECONDS.sleep(10);
            }

            run("kill", "-TERM", Long.toString(pause.pid()));
            assertThat(outside.waitFor()).isZero();
        } finally {
            outside.destroyForcibly();
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).start().waitFor()).isZero();
    }
}
