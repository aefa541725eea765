package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// Runs the examples with the distribution's own `gantry` on a node that `hack/node` starts for this
/// class alone; that node's `down` fails if anything of it is left. Skipped without root, and where
/// `hack/build` has left no distribution.
class GantryRunIT {

    private static final Path ROOT = root();
    private static final Path GANTRY = ROOT.resolve("build/gantry/bin/gantry");

    // the node removes its own files, and leaves its log to be read if it could not
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private static Path directory;

    private static boolean up;

    private record Run(int exitCode, String out, String err) {}

    private static Path root() {
        Path here = Path.of("").toAbsolutePath();
        while (here.getParent() != null && !Files.exists(here.resolve("hack/node"))) {
            here = here.getParent();
        }
        return here;
    }

    @BeforeAll
    static void startNode() throws Exception {
        assumeTrue(ProcessHandle.current().info().user().orElse("").equals("root"), "needs root");
        assumeTrue(Files.isExecutable(GANTRY), "no distribution: hack/build makes " + GANTRY);
        Run node = run(List.of(ROOT.resolve("hack/node").toString(), "up", nodeDirectory()));
        assertThat(node.exitCode()).as(node.err()).isZero();
        up = true;
    }

    @AfterAll
    static void nothingIsLeft() throws Exception {
        if (up) {
            Run node = run(List.of(ROOT.resolve("hack/node").toString(), "down", nodeDirectory()));
            assertThat(node.exitCode()).as(node.err()).isZero();
        }
    }

    private static String nodeDirectory() {
        return directory.resolve("node").toString();
    }

    private static ProcessBuilder process(List<String> command, Path out, Path err) {
        var builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().put("GANTRY_ADDRESS", nodeDirectory() + "/gantry.sock");
        return builder;
    }

    private static Run run(List<String> command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(directory, "out", "");
        Path err = Files.createTempFile(directory, "err", "");
        Process process = process(command, out, err).start();
        assertThat(process.waitFor(90, TimeUnit.SECONDS)).as(command + " ends").isTrue();
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static Run gantry(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(GANTRY.toString()));
        command.addAll(List.of(arguments));
        return run(command);
    }

    private static String example(String name) {
        return ROOT.resolve("examples").resolve(name).toString();
    }

    private static void until(Path file, String text) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!Files.readString(file).contains(text)) {
            assertThat(System.nanoTime()).as("time until %s in %s", text, file).isLessThan(end);
            Thread.sleep(50);
        }
    }

    private static void noPodIsLeft() throws IOException, InterruptedException {
        assertThat(gantry("pods", "-o", "json").out()).isEqualTo("[]\n");
        assertThat(gantry("ps", "-a", "-o", "json").out()).isEqualTo("[]\n");
        assertThat(Path.of(nodeDirectory(), "root/logs")).isEmptyDirectory();
    }

    @Test
    void aJobRunsToItsEndAndGoesAway() throws Exception {
        Run job = gantry("run", example("job-pod.yaml"));

        assertThat(job.exitCode()).as(job.err()).isZero();
        assertThat(job.out()).contains("report  | Left here by the first container of job.\n");
        noPodIsLeft();
    }

    @Test
    void aPodIsSupervisedOverAKilledDaemonUntilItIsToldToStop() throws Exception {
        Path out = Files.createTempFile(directory, "out", "");
        Path err = Files.createTempFile(directory, "err", "");
        Process pod = process(List.of(GANTRY.toString(), "run", example("hello-pod.yaml")), out, err)
                .start();
        try {
            until(out, "visitor | Visited 1 times.");
            Run exec = gantry("exec", "hello/server", "--", "cat", "/shared/visits");
            assertThat(exec.out()).startsWith("Visited ");
            assertThat(gantry("exec", "hello/server", "--", "exit", "42").exitCode())
                    .isEqualTo(42);
            assertThat(gantry("logs", "--tail", "1", "hello/visitor").out().lines())
                    .hasSize(1);
            assertThat(gantry("ps").out()).contains("visitor", "server");

            killDaemon();
            until(err, "the daemon is away, the pod runs on");
            assertThat(run(List.of(ROOT.resolve("hack/node").toString(), "up", nodeDirectory()))
                            .exitCode())
                    .isZero();
            String visits = gantry("exec", "hello/server", "--", "cat", "/shared/visits")
                    .out();
            int number = Integer.parseInt(visits.replaceAll("\\D", ""));
            until(out, "visitor | Visited %d times.".formatted(number + 2));
        } finally {
            pod.destroy(); // SIGTERM
            assertThat(pod.waitFor(60, TimeUnit.SECONDS)).as("gantry run ends").isTrue();
        }

        assertThat(pod.exitValue()).as(Files.readString(err)).isEqualTo(130);
        noPodIsLeft();
    }

    private static void killDaemon() throws IOException {
        long pid = Long.parseLong(
                Files.readString(Path.of(nodeDirectory(), "gantryd.pid")).strip());
        ProcessHandle daemon = ProcessHandle.of(pid).orElseThrow();
        daemon.destroyForcibly();
        daemon.onExit().join();
    }

    @Test
    void aContainerThatCannotStartTakesThePodWithIt() throws Exception {
        Path file = Files.writeString(directory.resolve("broken.yaml"), """
                apiVersion: v1
                kind: Pod
                metadata: {name: broken}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                  - {name: good, image: "gantry.local/hello:latest", imagePullPolicy: Never}
                  - {name: bad, image: "gantry.local/hello:latest", imagePullPolicy: Never, command: [/none]}
                """);

        Run broken = gantry("run", file.toString());

        assertThat(broken.exitCode()).isEqualTo(1);
        assertThat(broken.err())
                .contains("gantry: cannot start container bad: ")
                .contains("/none");
        noPodIsLeft();
    }

    @Test
    void aDetachedPodStaysUntilItIsRemoved() throws Exception {
        Path file = Files.writeString(directory.resolve("detached.yaml"), """
                apiVersion: v1
                kind: Pod
                metadata: {name: detached}
                spec:
                  restartPolicy: Never
                  containers:
                  - {name: late, image: "gantry.local/hello:latest", imagePullPolicy: Never, args: [sleep, "100"]}
                """);

        Run detached = gantry("run", "-d", file.toString());
        assertThat(detached.exitCode()).as(detached.err()).isZero();

        assertThat(gantry("ps").out()).contains("late");
        assertThat(gantry("rm", "detached").exitCode()).isEqualTo(1);
        assertThat(gantry("stop", "-t", "1", "detached").exitCode()).isZero();
        assertThat(gantry("rm", "detached").exitCode()).isZero();
        noPodIsLeft();
    }
}
