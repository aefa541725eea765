package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStats;
import dev.gantry.cri.runtime.v1.ContainerStatsRequest;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.ExecSyncRequest;
import dev.gantry.cri.runtime.v1.ExecSyncResponse;
import dev.gantry.cri.runtime.v1.KeyValue;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.cri.runtime.v1.ReopenContainerLogRequest;
import io.grpc.Context;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/// How containers start, run commands, write logs, are limited, and end; all in one pod.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ContainerLifecycleIT {

    private ChildNode node;
    private TestCalls calls;
    private String pod;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
        pod = calls.run(calls.pod("pod"));
    }

    @AfterAll
    void close() throws IOException {
        node.close();
    }

    @Test
    void theBuiltInImageNeedsNoRegistry() {
        ContainerConfig.Builder config = calls.container("hello", "echo", "hello", "world");
        config.getImageBuilder().setImage("gantry.local/hello:latest");
        String container = calls.run(pod, config);

        assertThat(calls.exited(container).getExitCode()).isZero();
        assertThat(calls.output(container)).containsExactly("hello world");
    }

    @Test
    void tellsTheTrueExitCodeAndWhy() {
        Instant before = Instant.now();
        String good = calls.run(pod, calls.container("good", "true"));
        String bad = calls.run(pod, calls.container("bad", "sh", "-c", "exit 42"));
        String shot = calls.run(pod, calls.container("shot", "sh", "-c", "kill -9 $$; exit 9"));

        assertThat(calls.exited(good)).satisfies(it -> {
            assertThat(it.getExitCode()).isZero();
            assertThat(it.getReason()).isEqualTo("Completed");
            assertThat(it.getStartedAt()).isGreaterThanOrEqualTo(it.getCreatedAt());
            assertThat(it.getFinishedAt()).isGreaterThanOrEqualTo(it.getStartedAt());
            assertThat(Instant.ofEpochSecond(0, it.getFinishedAt())).isBetween(before, Instant.now());
        });
        assertThat(calls.exited(bad)).satisfies(it -> {
            assertThat(it.getExitCode()).isEqualTo(42);
            assertThat(it.getReason()).isEqualTo("Error");
        });
        // The first process of a namespace cannot be shot from inside.
        assertThat(calls.exited(shot).getExitCode()).isEqualTo(9);
    }

    @Test
    void aProgramThatIsNotThereIsAStartError() {
        String container = calls.create(pod, calls.container("nothing", "/no/such/program"));

        assertThat(refused(Status.Code.INTERNAL, () -> calls.start(container))).contains(container, "/no/such/program");
        ContainerStatus status = calls.status(container);
        assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(status.getReason()).isEqualTo("StartError");
        assertThat(status.getExitCode()).isEqualTo(128);
        assertThat(status.getMessage()).contains("/no/such/program");
    }

    @Test
    void saysThatMemoryRanOut() {
        ContainerConfig.Builder config =
                calls.container("greedy", "sh", "-c", "x=0123456789abcdef; while :; do x=$x$x; done");
        config.getLinuxBuilder()
                .setResources(LinuxContainerResources.newBuilder().setMemoryLimitInBytes(24 << 20));
        String container = calls.run(pod, config);

        ContainerStatus status = calls.exited(container);

        assertThat(status.getReason()).isEqualTo("OOMKilled");
        assertThat(status.getExitCode()).isEqualTo(137);
    }

    @Test
    void stoppingLetsAHandlerRunWithinTheGrace() {
        String container = calls.run(
                pod,
                calls.container(
                        "polite", "sh", "-c", "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.1; done"));
        calls.awaitOutput(container, "ready");

        calls.stop(container, 60);

        assertThat(calls.status(container).getExitCode()).isEqualTo(3);
        assertThat(calls.output(container)).containsExactly("ready", "bye");
    }

    @Test
    void stoppingKillsAfterTheGrace() {
        String container = calls.run(
                pod, calls.container("deaf", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"));
        calls.awaitOutput(container, "ready");
        Instant before = Instant.now();

        calls.stop(container, 1);

        assertThat(Duration.between(before, Instant.now())).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
        assertThat(calls.status(container).getExitCode()).isEqualTo(137);
        calls.stop(container, 60);
    }

    @Test
    void aSecondStopShortensTheGraceOfTheFirst() {
        String container = calls.run(
                pod, calls.container("hasty", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"));
        calls.awaitOutput(container, "ready");

        CompletableFuture<Void> patient = CompletableFuture.runAsync(() -> calls.stop(container, 3600));
        calls.stop(container, 0);

        assertThat(patient).succeedsWithin(ChildNode.PATIENCE);
        assertThat(calls.status(container).getExitCode()).isEqualTo(137);
    }

    @Test
    void limitsStandInTheCgroup() {
        ContainerConfig.Builder config = calls.sleeper("limited");
        config.getLinuxBuilder()
                .setResources(LinuxContainerResources.newBuilder()
                        .setMemoryLimitInBytes(64 << 20)
                        .setCpuPeriod(100_000)
                        .setCpuQuota(50_000)
                        .setCpuShares(512)
                        .setCpusetCpus("0"));
        String container = calls.run(pod, config);

        assertThat(calls.shell(container, "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes || cat memory.max"))
                .isEqualTo("67108864");
        assertThat(calls.shell(container, "cd /sys/fs/cgroup; cat cpu/cpu.cfs_quota_us || cat cpu.max"))
                .startsWith("50000");
        assertThat(calls.shell(container, "cd /sys/fs/cgroup; cat cpuset/cpuset.cpus || cat cpuset.cpus"))
                .isEqualTo("0");
        ContainerStats stats = node.client()
                .runtime()
                .containerStats(ContainerStatsRequest.newBuilder()
                        .setContainerId(container)
                        .build())
                .getStats();
        assertThat(stats.getAttributes().getId()).isEqualTo(container);
        assertThat(stats.getMemory().getWorkingSetBytes().getValue()).isPositive();
        assertThat(stats.getCpu().getUsageCoreNanoSeconds().getValue()).isPositive();
    }

    @Test
    void nothingInheritsADescriptor() {
        String container = calls.run(pod, calls.container("bare", "sleep", "3600"));

        assertThat(calls.shell(container, "ls /proc/1/fd")).isEqualTo("0\n1\n2");
        assertThat(calls.exec(container, "ls", "/proc/self/fd").getStdout().toStringUtf8())
                .isEqualTo("0\n1\n2\n3\n"); // 3 is the folder that it reads
    }

    @Test
    void runsAsTheUserThatIsAskedFor() {
        ContainerConfig.Builder config = calls.sleeper("user");
        config.getLinuxBuilder().getSecurityContextBuilder().setRunAsUsername("tester");
        String container = calls.run(pod, config);

        assertThat(calls.shell(container, "id -u; id -g; id -G")).isEqualTo("1000\n1000\n1000");
        assertThat(calls.status(container).getUser().getLinux().getUid()).isEqualTo(1000);
    }

    @Test
    void runsACommandAndTellsItsExitCode() {
        String container = calls.run(
                pod,
                calls.sleeper("commands")
                        .addEnvs(KeyValue.newBuilder().setKey("GREETING").setValue(ByteString.copyFromUtf8("hi"))));

        ExecSyncResponse answer = calls.exec(container, "sh", "-c", "echo $GREETING; echo wrong >&2; exit 7");

        assertThat(answer.getExitCode()).isEqualTo(7);
        assertThat(answer.getStdout().toStringUtf8()).isEqualTo("hi\n");
        assertThat(answer.getStderr().toStringUtf8()).isEqualTo("wrong\n");
        assertThat(calls.exec(container, "sh", "-c", "kill -9 $$").getExitCode())
                .isEqualTo(137);
        assertThat(refused(Status.Code.INTERNAL, () -> calls.exec(container, "/no/such/program")))
                .contains("/no/such/program");
        assertThat(refused(Status.Code.INVALID_ARGUMENT, () -> calls.exec(container)))
                .contains(container);
    }

    @Test
    void aCommandThatTakesTooLongIsKilled() {
        String container = calls.run(pod, calls.sleeper("slow"));
        ExecSyncRequest request = ExecSyncRequest.newBuilder()
                .setContainerId(container)
                .addAllCmd(List.of("sleep", "1234"))
                .setTimeout(1)
                .build();

        assertThat(refused(
                        Status.Code.DEADLINE_EXCEEDED,
                        () -> node.client().runtime().execSync(request)))
                .contains(container);

        assertThat(calls.shell(container, "ps -o args")).doesNotContain("sleep 1234");
    }

    @Test
    void aCommandWhoseClientHasGoneIsKilled() {
        String container = calls.run(pod, calls.sleeper("left"));
        Context.CancellableContext client = Context.current().withCancellation();
        CompletableFuture<Void> call = CompletableFuture.runAsync(client.wrap(() -> {
            var _ = node.client()
                    .runtime()
                    .execSync(ExecSyncRequest.newBuilder()
                            .setContainerId(container)
                            .addAllCmd(List.of("sleep", "1235"))
                            .build());
        }));
        await("the command runs")
                .atMost(ChildNode.PATIENCE)
                .until(() -> calls.shell(container, "ps -o args").contains("sleep 1235"));

        client.cancel(null);

        assertThat(call).failsWithin(ChildNode.PATIENCE);
        await("the command has ended")
                .atMost(ChildNode.PATIENCE)
                .until(() -> !calls.shell(container, "ps -o args").contains("sleep 1235"));
    }

    @Test
    void dropsWhatACommandPrintsBeyondTheLimit() {
        String container = calls.run(pod, calls.sleeper("loud"));

        ExecSyncResponse answer =
                calls.exec(container, "sh", "-c", "head -c 20000000 /dev/zero; head -c 20000000 /dev/zero >&2; exit 5");

        // What the kubelet takes, the messages' own bytes included.
        assertThat(answer.getSerializedSize()).isBetween(15 << 20, 16 << 20);
        assertThat(answer.getExitCode()).isEqualTo(5);
    }

    @Test
    void writesTheLogInTheFormatOfTheKubelet() throws IOException {
        String container = calls.run(
                pod,
                calls.container(
                        "logging",
                        "sh",
                        "-c",
                        "echo out; echo err >&2; head -c 20000 /dev/zero | tr '\\0' x; echo; printf unended"));
        var _ = calls.exited(container);

        List<String> lines = calls.log(container);
        assertThat(lines)
                .allMatch(
                        it -> it.matches(
                                "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}(Z|[+-]\\d\\d:\\d\\d) (stdout|stderr) [FP] .*"));
        assertThat(lines.stream().map(it -> it.substring(it.indexOf(' ') + 1)))
                .containsExactlyInAnyOrder(
                        "stdout F out",
                        "stderr F err",
                        "stdout P " + "x".repeat(16384),
                        "stdout F " + "x".repeat(20000 - 16384),
                        "stdout P unended");
    }

    @Test
    void goesOnInANewLogAfterAReopening() throws IOException {
        String container = calls.run(
                pod,
                calls.container(
                        "rotated", "sh", "-c", "trap 'echo second' USR1; echo first; while :; do sleep 0.1; done"));
        calls.awaitOutput(container, "first");
        Path log = Path.of(calls.status(container).getLogPath());
        Path old = log.resolveSibling("rotated.log.1");
        Files.move(log, old);

        var _ = node.client()
                .runtime()
                .reopenContainerLog(ReopenContainerLogRequest.newBuilder()
                        .setContainerId(container)
                        .build());
        assertThat(log).exists();
        var _ = calls.shell(container, "kill -USR1 1");

        calls.awaitOutput(container, "second");
        assertThat(Files.readString(old)).contains("F first").doesNotContain("second");
        calls.stop(container, 0);
        assertThat(refused(
                        Status.Code.FAILED_PRECONDITION,
                        () -> node.client()
                                .runtime()
                                .reopenContainerLog(ReopenContainerLogRequest.newBuilder()
                                        .setContainerId(container)
                                        .build())))
                .contains(container);
    }

    @Test
    void aTerminalIsWrittenToTheLogAsOneStream() {
        String container = calls.run(
                pod,
                calls.container("terminal", "sh", "-c", "test -t 1 && echo terminal; echo err >&2; exit 4")
                        .setTty(true)
                        .setStdin(true));

        assertThat(calls.exited(container).getExitCode()).isEqualTo(4);
        assertThat(calls.log(container).stream().map(it -> it.substring(it.indexOf(' ') + 1)))
                .containsExactly("stdout F terminal\r".stripTrailing(), "stdout F err");
    }

    @Test
    void standardInputStaysOpenWhereItIsAskedFor() {
        String open = calls.run(pod, calls.container("open", "cat").setStdin(true));
        String closed = calls.run(pod, calls.container("closed", "cat"));

        assertThat(calls.exited(closed).getExitCode()).isZero();
        assertThat(calls.status(open).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
    }

    @Test
    void aReadOnlyRootCannotBeWritten() {
        ContainerConfig.Builder config = calls.sleeper("readonly");
        config.getLinuxBuilder().getSecurityContextBuilder().setReadonlyRootfs(true);
        String container = calls.run(pod, config);

        assertThat(calls.exec(container, "touch", "/file").getExitCode()).isNotZero();
        assertThat(calls.exec(container, "touch", "/etc/hosts").getExitCode()).isNotZero();
    }
}
