package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.cri.runtime.v1.PodSandboxStatusRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;

/// Keeps the containers of one pod going: init containers one after the other, then the others side
/// by side, each restarted by the policy of the pod, until all have ended for good. Prints what they
/// write, each line behind the name of its container. Everything happens on the calling thread, ten
/// times a second. A daemon that is away is waited for: the containers run on meanwhile.
final class PodSupervisor {

    private static final long INTERVAL_MILLIS = 100;

    private final PodContainer.Home home;
    private final RestartPolicy policy;
    private final Terminal terminal;
    private final int width;
    private int firstFailure;
    private boolean away;

    PodSupervisor(PodContainer.Home home, RestartPolicy policy, Terminal terminal, int nameWidth) {
        this.home = home;
        this.policy = policy;
        this.terminal = terminal;
        this.width = nameWidth;
    }

    /// Runs one init container to its good end. Returns its exit code, which is not zero only if the
    /// policy does not allow another attempt.
    int runInit(PodContainer container) throws InterruptedException {
        supervise(List.of(container), true);
        return container.result().orElse(1);
    }

    /// Runs until all have ended for good; returns the exit code of the first that failed, or zero.
    int run(List<PodContainer> containers) throws InterruptedException {
        supervise(containers, false);
        return firstFailure;
    }

    private void supervise(List<PodContainer> containers, boolean init) throws InterruptedException {
        while (containers.stream().anyMatch(c -> c.result().isEmpty())) {
            try {
                for (PodContainer container : containers) {
                    step(container, init);
                }
                away = false;
            } catch (StatusRuntimeException | CliException.Unreachable e) {
                waitForDaemon(e);
            }
            Thread.sleep(INTERVAL_MILLIS);
        }
    }

    private void step(PodContainer container, boolean init) {
        if (container.due(Instant.now())) {
            container.start();
        }
        OptionalInt exit = container.poll(line -> print(container.name(), line));
        if (exit.isEmpty()) {
            return;
        }
        int code = exit.getAsInt();
        if (policy.restarts(code, init) && ready()) {
            Duration pause = container.planRestart(Instant.now());
            terminal.err()
                    .printf(
                            "gantry: container %s ended with %d, starts again in %d s%n",
                            container.name(), code, pause.toSeconds());
        } else {
            container.endedForGood(code);
            if (code != 0) {
                firstFailure = firstFailure == 0 ? code : firstFailure;
                terminal.err().printf("gantry: container %s ended with %d%n", container.name(), code);
            }
        }
    }

    /// A pod that somebody stopped is not brought back.
    private boolean ready() {
        try {
            return home.connection()
                            .runtime()
                            .podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                                    .setPodSandboxId(home.id())
                                    .build())
                            .getStatus()
                            .getState()
                    == PodSandboxState.SANDBOX_READY;
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return false;
            }
            throw e;
        }
    }

    private void waitForDaemon(RuntimeException e) throws InterruptedException {
        CliException failure = CliException.of(e, home.connection().address());
        if (!(failure instanceof CliException.Unreachable)) {
            throw failure;
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        if (!away) {
            away = true;
            terminal.err().println("gantry: the daemon is away, the pod runs on; waiting for it");
        }
        Thread.sleep(10 * INTERVAL_MILLIS);
        home.connection().retry();
    }

    void print(String container, LogLine line) {
        PrintStream to = line.error() ? terminal.err() : terminal.out();
        byte[] prefix = ("%-" + width + "s | ").formatted(container).getBytes(StandardCharsets.UTF_8);
        byte[] text = line.text().toByteArray();
        synchronized (to) { // a line stays whole
            to.write(prefix, 0, prefix.length);
            to.write(text, 0, text.length);
            to.write('\n');
            to.flush();
        }
    }
}
