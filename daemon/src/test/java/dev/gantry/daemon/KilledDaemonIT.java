package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The daemon is killed in the middle of a call, at a moment that differs from round to round: the next one knows no
/// half of anything.
@ExtendWith(DistributionRequired.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KilledDaemonIT {

    private static final int ROUNDS = 3;

    /// Longer than any of the calls takes on an idle machine.
    private static final int LATEST_MILLIS = 250;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private final ExecutorService caller = Executors.newSingleThreadExecutor();
    private ChildNode node;
    private TestCalls calls;

    @BeforeAll
    void start() throws IOException {
        node = ChildNode.started();
        calls = node.calls();
    }

    @AfterAll
    void close() throws IOException {
        caller.shutdownNow();
        node.close();
    }

    enum Call {
        RUN_POD,
        CREATE_CONTAINER,
        START_CONTAINER,
        STOP_POD,
        REMOVE_POD
    }

    @ParameterizedTest
    @EnumSource
    void leavesNoHalfState(Call call) throws Exception {
        for (int round = 1; round <= ROUNDS; round++) {
            int delay = random.nextInt(LATEST_MILLIS);
            String what = "%s killed after %d ms (round %d, seed %d)".formatted(call, delay, round, seed);
            try {
                killDuring(call, delay, what);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(what + "\n" + node.log(), e);
            }
        }
    }

    private void killDuring(Call call, int delay, String what) throws Exception {
        PodSandboxConfig.Builder config = calls.pod("pod");
        Runnable action = prepared(call, config);
        CountDownLatch begun = new CountDownLatch(1);
        Future<?> running = caller.submit(() -> {
            begun.countDown();
            action.run();
        });
        begun.await();
        TimeUnit.MILLISECONDS.sleep(delay); // the moment is what the round is about
        node.kill();
        await("the call ends").atMost(Duration.ofSeconds(20)).until(running::isDone);
        node.start();

        String pod = take(
                () -> calls.run(config),
                () -> Optional.of(calls.pods().getFirst().getId()),
                what);
        if (calls.podStatus(pod).getStatus().getStateValue() == 0) {
            String container = take(
                    () -> calls.create(pod, calls.sleeper("main")),
                    () -> calls.containers().stream().map(Container::getId).findFirst(),
                    what);
            if (calls.status(container).getState() == ContainerState.CONTAINER_CREATED) {
                calls.start(container);
            }
            if (calls.status(container).getState() == ContainerState.CONTAINER_RUNNING) {
                assertThat(calls.shell(container, "echo here")).isEqualTo("here");
            }
        }
        node.removePods();
        assertThat(calls.run(config)).isNotEqualTo(pod);
        node.removePods();
    }

    /// The call that is to be cut off, with all before it done.
    private Runnable prepared(Call call, PodSandboxConfig.Builder config) {
        if (call == Call.RUN_POD) {
            return () -> calls.run(config);
        }
        String pod = calls.run(config);
        if (call == Call.CREATE_CONTAINER) {
            return () -> calls.create(pod, calls.sleeper("main"));
        }
        String container = calls.create(pod, calls.sleeper("main"));
        if (call == Call.START_CONTAINER) {
            return () -> calls.start(container);
        }
        calls.start(container);
        if (call == Call.STOP_POD) {
            return () -> calls.stopPod(pod);
        }
        calls.stopPod(pod);
        return () -> calls.removePod(pod);
    }

    /// What the name stands for now: something new, or what was there before and is listed.
    private static String take(Supplier<String> make, Supplier<Optional<String>> listed, String what) {
        try {
            return make.get();
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getCode()).as(what + ": " + e).isEqualTo(Status.Code.ALREADY_EXISTS);
            Optional<String> holder = listed.get();
            assertThat(holder).as(what + ": the name's holder is listed").isPresent();
            assertThat(e.getStatus().getDescription()).contains(holder.orElseThrow());
            return holder.orElseThrow();
        }
    }
}
