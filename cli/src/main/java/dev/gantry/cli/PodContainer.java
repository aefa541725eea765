package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ContainerStatus;
import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import dev.gantry.cri.runtime.v1.CreateContainerRequest;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.RemoveContainerRequest;
import dev.gantry.cri.runtime.v1.StartContainerRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// One container of a pod that this process supervises: its attempts, its log, and when it is to be
/// started again. Not thread-safe.
final class PodContainer implements AutoCloseable {

    /// A container that somebody removed under our hands counts as killed.
    private static final int KILLED = 137;

    /// The pod that the containers are in.
    record Home(Connection connection, String id, PodSandboxConfig config) {}

    private final Home home;
    private final String name;
    private final IntFunction<ContainerConfig> configs;
    private final BackOff backOff;
    private int attempt;
    private @Nullable String created;
    private @Nullable String id;
    private @Nullable LogTail log;
    private Duration pause = Duration.ZERO;
    private Instant started = Instant.EPOCH;
    private Instant due = Instant.EPOCH;
    private OptionalInt result = OptionalInt.empty();

    PodContainer(Home home, String name, BackOff backOff, IntFunction<ContainerConfig> configs) {
        this.home = home;
        this.name = name;
        this.backOff = backOff;
        this.configs = configs;
    }

    String name() {
        return name;
    }

    /// The exit code, once the container has ended for good.
    OptionalInt result() {
        return result;
    }

    boolean due(Instant now) {
        return id == null && result.isEmpty() && !now.isBefore(due);
    }

    void start() {
        StepFailure.during("start container " + name, home.connection(), () -> {
            String made = created == null ? create() : created;
            created = made; // if the daemon goes away now, it need not be made again
            var answer = home.connection()
                    .runtime()
                    .startContainer(StartContainerRequest.newBuilder()
                            .setContainerId(made)
                            .build());
            started = Instant.now();
            id = made;
            created = null;
            return answer;
        });
    }

    private String create() {
        ContainerConfig config = configs.apply(attempt);
        log = new LogTail(Path.of(home.config().getLogDirectory(), config.getLogPath()));
        return home.connection()
                .runtime()
                .createContainer(CreateContainerRequest.newBuilder()
                        .setPodSandboxId(home.id())
                        .setConfig(config)
                        .setSandboxConfig(home.config())
                        .build())
                .getContainerId();
    }

    /// Passes on what was written since the last time, and returns the exit code if the container has
    /// ended. All that it wrote has been passed on then.
    OptionalInt poll(Consumer<LogLine> lines) {
        if (id == null) {
            return OptionalInt.empty();
        }
        OptionalInt exit = exitCode(id);
        readLog(lines); // after the question: what is written before the end is there then
        return exit;
    }

    void readLog(Consumer<LogLine> lines) {
        if (log != null) {
            log.poll(lines);
        }
    }

    private OptionalInt exitCode(String container) {
        try {
            ContainerStatus status = home.connection()
                    .runtime()
                    .containerStatus(ContainerStatusRequest.newBuilder()
                            .setContainerId(container)
                            .build())
                    .getStatus();
            return status.getState() == ContainerState.CONTAINER_EXITED
                    ? OptionalInt.of(status.getExitCode())
                    : OptionalInt.empty();
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return OptionalInt.of(KILLED);
            }
            throw e;
        }
    }

    void endedForGood(int exitCode) {
        close();
        id = null;
        result = OptionalInt.of(exitCode);
    }

    /// Plans the next attempt and removes this one; returns how long the pause is.
    Duration planRestart(Instant now) {
        close();
        if (id != null) {
            var _ = home.connection()
                    .runtime()
                    .removeContainer(RemoveContainerRequest.newBuilder()
                            .setContainerId(id)
                            .build());
        }
        pause = backOff.next(pause, Duration.between(started, now));
        id = null;
        due = now.plus(pause);
        attempt++;
        return pause;
    }

    @Override
    public void close() {
        if (log != null) {
            log.close();
            log = null;
        }
    }
}
