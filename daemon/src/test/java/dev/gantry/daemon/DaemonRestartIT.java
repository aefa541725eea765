package dev.gantry.daemon;

import static dev.gantry.daemon.TestCalls.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Pods and containers outlive the daemon; the next one finds them as they are.
@ExtendWith(DistributionRequired.class)
class DaemonRestartIT {

    private static final String COUNTER = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done";

    private ChildNode node;
    private TestCalls calls;

    /// How a daemon ends.
    enum End {
        TERMINATED,
        KILLED;

        void of(ChildNode node) {
            switch (this) {
                case TERMINATED -> node.stop();
                case KILLED -> node.kill();
            }
        }
    }

    @BeforeEach
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
    }

    @AfterEach
    void close() throws IOException {
        node.close();
    }

    @ParameterizedTest
    @EnumSource
    void containersRunOnAndCanBeWorkedWith(End end) {
        String pod = calls.run(calls.pod("pod").putLabels("app", "a"));
        String container = calls.run(pod, calls.container("counter", "sh", "-c", COUNTER));
        String created = calls.create(pod, calls.sleeper("created"));
        calls.awaitOutput(container, "3");
        long startedAt = calls.status(container).getStartedAt();
        String ip = calls.podStatus(pod).getStatus().getNetwork().getIp();

        end.of(node);
        node.start();

        assertThat(calls.podStatus(pod).getStatus()).satisfies(it -> {
            assertThat(it.getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
            assertThat(it.getNetwork().getIp()).isEqualTo(ip);
            assertThat(it.getLabelsMap()).containsEntry("app", "a");
        });
        assertThat(calls.status(container)).satisfies(it -> {
            assertThat(it.getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
            assertThat(it.getStartedAt()).isEqualTo(startedAt);
        });
        assertThat(calls.status(created).getState()).isEqualTo(ContainerState.CONTAINER_CREATED);
        assertThat(calls.shell(container, "echo still here")).isEqualTo("still here");
        int written = calls.output(container).size();
        await("the log goes on")
                .atMost(ChildNode.PATIENCE)
                .until(() -> calls.output(container).size() > written + 3);
        assertThat(refused(Status.Code.ALREADY_EXISTS, () -> calls.create(pod, calls.sleeper("created"))))
                .contains(created);
        calls.start(created);
        calls.awaitOutput(created, "ready");
        calls.stop(created, 60);
        assertThat(calls.status(created).getExitCode()).isZero();
        calls.stop(container, 0);
        assertThat(calls.status(container).getExitCode()).isEqualTo(137);
    }

    @Test
    void noLineIsLostOverAnOrderlyRestart() {
        String pod = calls.run(calls.pod("pod"));
        String container = calls.run(pod, calls.container("counter", "sh", "-c", COUNTER));
        calls.awaitOutput(container, "3");

        node.stop();
        node.start();

        int written = calls.output(container).size();
        calls.awaitOutput(container, Integer.toString(written + 5));
        List<String> lines = calls.output(container);
        assertThat(lines)
                .containsExactlyElementsOf(IntStream.rangeClosed(1, lines.size())
                        .mapToObj(Integer::toString)
                        .toList());
    }

    @ParameterizedTest
    @EnumSource
    void anExitThatNobodySawIsToldTruly(End end) {
        String pod = calls.run(calls.pod("pod"));
        String exits = calls.run(
                pod,
                calls.container(
                        "exits", "sh", "-c", "echo ready; while [ ! -e /tmp/go ]; do sleep 0.05; done; exit 42"));
        String killed = calls.run(pod, calls.sleeper("killed"));
        calls.awaitOutput(exits, "ready");
        Path go = Path.of("/proc", Long.toString(pid(exits)), "root/tmp/go");
        long killedPid = pid(killed);

        end.of(node);
        Instant before = Instant.now();
        var _ = ChildProgram.run("touch", go.toString());
        ProcessHandle.of(killedPid).ifPresent(ProcessHandle::destroyForcibly);
        await("both end").atMost(ChildNode.PATIENCE).until(() -> cgroupProcesses(exits, killed) == 0);
        Instant ended = Instant.now();
        node.start();

        ContainerStatus ofExits = calls.status(exits);
        assertThat(ofExits.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(ofExits.getExitCode()).isEqualTo(42);
        assertThat(Instant.ofEpochSecond(0, ofExits.getFinishedAt())).isBetween(before, ended.plusMillis(500));
        ContainerStatus ofKilled = calls.status(killed);
        assertThat(ofKilled.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(ofKilled.getExitCode()).isEqualTo(137);
        assertThat(calls.podStatus(pod).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_READY);
        calls.remove(exits);
        assertThat(calls.create(pod, calls.sleeper("exits"))).isNotEqualTo(exits);
    }

    /// The first process of a container, as the host numbers it.
    private long pid(String container) {
        return node.processes().stream()
                .filter(it -> inCgroupOf(it, container))
                .min((a, b) -> Long.compare(a.pid(), b.pid()))
                .orElseThrow()
                .pid();
    }

    private long cgroupProcesses(String... containers) {
        return node.processes().stream()
                .filter(it -> List.of(containers).stream().anyMatch(container -> inCgroupOf(it, container)))
                .count();
    }

    private static boolean inCgroupOf(ProcessHandle process, String container) {
        return ChildNode.proc(Path.of("/proc", Long.toString(process.pid()), "cgroup"))
                .contains("/" + container + "\n");
    }

    @Test
    void aPodWhosePauseProcessDiedIsNotReady() {
        String pod = calls.run(calls.pod("pod"));
        String container = calls.run(pod, calls.sleeper("main"));
        String watched = calls.run(calls.pod("watched"));
        long pause = pid(pod);
        long watchedPause = pid(watched);

        ProcessHandle.of(watchedPause).ifPresent(ProcessHandle::destroyForcibly);
        await("its end is seen")
                .atMost(ChildNode.PATIENCE)
                .until(() -> calls.podStatus(watched).getStatus().getState() == PodSandboxState.SANDBOX_NOTREADY);
        node.kill();
        ProcessHandle.of(pause).ifPresent(ProcessHandle::destroyForcibly);
        await("pause ends").atMost(ChildNode.PATIENCE).until(() -> cgroupProcesses(pod) == 0);
        node.start();

        assertThat(calls.podStatus(pod).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
        assertThat(calls.status(container).getState()).isEqualTo(ContainerState.CONTAINER_RUNNING);
        assertThat(refused(Status.Code.FAILED_PRECONDITION, () -> calls.create(pod, calls.sleeper("late"))))
                .contains(pod);
    }

    @Test
    void whenAShimIsKilledItsContainersHaveExited() {
        String pod = calls.run(calls.pod("pod"));
        String container = calls.run(pod, calls.sleeper("main"));

        killShims();

        assertThat(calls.exited(container).getExitCode()).isEqualTo(137);
        await("the pod is not ready")
                .atMost(ChildNode.PATIENCE)
                .until(() -> calls.podStatus(pod).getStatus().getState() == PodSandboxState.SANDBOX_NOTREADY);
    }

    @Test
    void whenAShimIsKilledWhileTheDaemonIsAwayItsContainersHaveExited() {
        String pod = calls.run(calls.pod("pod"));
        String container = calls.run(pod, calls.sleeper("main"));

        node.kill();
        killShims();
        node.start();

        assertThat(calls.status(container).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(calls.status(container).getExitCode()).isEqualTo(137);
        assertThat(calls.podStatus(pod).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
        assertThat(cgroupProcesses(container)).isZero();
    }

    @Test
    void anExitThatTheShimWroteDownOutlivesIt() {
        String pod = calls.run(calls.pod("pod"));
        String container = calls.run(
                pod,
                calls.container("main", "sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.05; done; echo bye; exit 42"));
        Path go = Path.of("/proc", Long.toString(pid(container)), "root/tmp/go");

        node.kill();
        var _ = ChildProgram.run("touch", go.toString());
        await("it ends").atMost(ChildNode.PATIENCE).until(() -> cgroupProcesses(container) == 0);
        Path record = node.state().resolve("tasks").resolve(container).resolve("exit.json");
        await("its exit is on disk").atMost(ChildNode.PATIENCE).until(() -> Files.exists(record));
        killShims();
        node.start();

        assertThat(calls.status(container).getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(calls.status(container).getExitCode()).isEqualTo(42);
        assertThat(calls.output(container)).containsExactly("bye");
        calls.stopPod(pod);
        calls.removePod(pod);
        assertThat(calls.pods()).isEmpty();
    }

    private void killShims() {
        List<ProcessHandle> shims = node.processes().stream()
                .filter(it -> it.info().command().orElse("").contains("containerd-shim"))
                .toList();
        assertThat(shims).isNotEmpty();
        shims.forEach(ProcessHandle::destroyForcibly);
        await("the shim ends")
                .atMost(Duration.ofSeconds(10))
                .until(() -> shims.stream().noneMatch(ProcessHandle::isAlive));
    }

    @Test
    void aStopThatWasCutOffCanBeRepeated() {
        String pod = calls.run(calls.pod("pod"));
        var _ = calls.run(pod, calls.sleeper("main"));
        calls.stopPod(pod);

        node.kill();
        node.start();

        assertThat(calls.podStatus(pod).getStatus().getState()).isEqualTo(PodSandboxState.SANDBOX_NOTREADY);
        calls.stopPod(pod);
        calls.removePod(pod);
        assertThat(calls.pods()).isEmpty();
    }
}
