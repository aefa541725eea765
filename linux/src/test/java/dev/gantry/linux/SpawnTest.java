package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpawnTest {

    private static final Duration LIMIT = Duration.ofSeconds(20);

    @TempDir
    private Path directory;

    @Test
    void givesOutputErrorsAndExitCode() throws Exception {
        Spawn.Result result = Spawn.run(shell("echo out; echo err >&2; exit 3"), LIMIT);

        assertThat(result.exitCode()).isEqualTo(3);
        assertThat(result.ok()).isFalse();
        assertThat(result.outputText()).isEqualTo("out\n");
        assertThat(result.errorText()).isEqualTo("err");
    }

    @Test
    void passesInputEnvironmentAndDirectory() throws Exception {
        byte[] input = new byte[300_000];
        Spawn.Result echoed = Spawn.run(Spawn.command("cat").input(input), LIMIT);
        Spawn.Result told =
                Spawn.run(shell("pwd; echo $GREETING").env("GREETING", "hello").in(directory), LIMIT);

        assertThat(echoed.output()).isEqualTo(input);
        assertThat(told.outputText()).isEqualTo(directory.toRealPath() + "\nhello\n");
    }

    @Test
    void doesNotMindAProgramThatReadsNothing() throws Exception {
        assertThat(Spawn.run(Spawn.command("true").input(new byte[1 << 20]), LIMIT)
                        .ok())
                .isTrue();
    }

    @Test
    void tellsASignalAsTheShellDoes() throws Exception {
        assertThat(Spawn.run(shell("kill -9 $$"), LIMIT).exitCode()).isEqualTo(137);
    }

    @Test
    void keepsAsMuchOutputAsAllowed() throws Exception {
        Spawn.Result result = Spawn.run(shell("head -c 1000000 /dev/zero").limit(1000), LIMIT);

        assertThat(result.output()).hasSize(1000);
        assertThat(result.truncated()).isTrue();
        assertThat(result.ok()).isTrue();
    }

    @Test
    void mergesErrorsIntoTheOutput() throws Exception {
        Spawn.Result result = Spawn.run(shell("echo a; echo b >&2; echo c").mergingErrors(), LIMIT);

        assertThat(result.outputText()).isEqualTo("a\nb\nc\n");
    }

    @Test
    void startsWithThreeDescriptorsAndNoSignalBlockedOrIgnored() throws Exception {
        Spawn.Result result = Spawn.run(Spawn.command("grep", "-E", "SigBlk|SigIgn", "/proc/self/status"), LIMIT);
        Spawn.Result descriptors = Spawn.run(Spawn.command("ls", "/proc/self/fd"), LIMIT);

        assertThat(result.outputText()).isEqualTo("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
        // The fourth is the one by which ls lists.
        assertThat(descriptors.outputText()).isEqualTo("0\n1\n2\n3\n");
    }

    @Test
    void saysWhatCannotBeRun() {
        assertThatThrownBy(() -> Spawn.run(Spawn.command("/no/such/program"), LIMIT))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
                .hasMessage("cannot run /no/such/program: ENOENT (no such file or directory)");
    }

    @Test
    void killsTheWholeGroupWhenTheTimeIsUp() throws Exception {
        Path pids = directory.resolve("pids");
        Spawn.Command command = shell("sleep 300 & echo $! > " + pids + "; echo $$ >> " + pids + "; wait");

        assertThatThrownBy(() -> Spawn.run(command, Duration.ofMillis(300)))
                .isInstanceOf(SpawnTimeoutException.class)
                .hasMessageStartingWith("sh did not end within");

        for (String pid : Files.readAllLines(pids)) {
            assertThat(ends(Integer.parseInt(pid))).as("process " + pid).isTrue();
        }
    }

    @Test
    void doesNotWaitLongForADaemonThatKeepsThePipe() throws Exception {
        long start = System.nanoTime();

        Spawn.Result result = Spawn.run(shell("sleep 4 & echo started"), LIMIT);

        assertThat(result.outputText()).isEqualTo("started\n");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
    }

    @Test
    void waitsForTheEndOfTheOutputWhenAsked() throws Exception {
        Spawn.Result result =
                Spawn.run(shell("(sleep 2; echo late) & echo early").untilEof(true), LIMIT);

        assertThat(result.outputText()).isEqualTo("early\nlate\n");
    }

    @Test
    void leavesNoDescriptorsAndNoChildren() throws Exception {
        Spawn.run(Spawn.command("true"), LIMIT);
        int before = descriptors();

        for (int i = 0; i < 20; i++) {
            Spawn.run(Spawn.command("true"), LIMIT);
            assertThatThrownBy(() -> Spawn.run(Spawn.command("/no/such"), LIMIT))
                    .isInstanceOf(ErrnoException.class);
        }

        assertThat(descriptors()).isLessThanOrEqualTo(before + 2);
        assertThat(ProcessHandle.current().children()).isEmpty();
    }

    private static Spawn.Command shell(String script) {
        return Spawn.command("sh", "-c", script);
    }

    private static int descriptors() throws Exception {
        try (var list = Files.list(Path.of("/proc/self/fd"))) {
            return (int) list.count();
        }
    }

    /// A killed grandchild is reaped by init, a moment later.
    private static boolean ends(int pid) throws Exception {
        for (int i = 0; i < 200; i++) {
            List<String> status = Files.exists(Path.of("/proc/" + pid + "/stat"))
                    ? List.of(Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.UTF_8)
                            .split(" ", -1))
                    : List.of();
            if (status.isEmpty() || status.get(2).equals("Z")) {
                return true;
            }
            Thread.sleep(20);
        }
        return false;
    }
}
