package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import dev.gantry.cri.containerd.task.v2.ConnectResponse;
import dev.gantry.cri.containerd.task.v2.WaitResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// With a server that answers as no real shim can be made to.
@Timeout(30)
class ShimTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Optional<String> INIT = Optional.empty();

    @TempDir
    private Path directory;

    private final TtrpcLoop loop = new TtrpcLoop("ttrpc");
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, TtrpcServer.Method> methods = new HashMap<>();
    private final CountDownLatch release = new CountDownLatch(1);

    @AfterEach
    void stop() {
        release.countDown();
        loop.close();
        threads.shutdownNow();
    }

    @Test
    void speaksVersionTwoToAShimThatOnlyClaimsThree() throws Exception {
        answer(2, "Wait", WaitResponse.newBuilder().setExitStatus(9).build());
        Shim shim = connect(3, 2);

        assertThat(shim.shimPid()).isEqualTo(42);
        assertThat(shim.wait("a", INIT).get()).isEqualTo(new Exit(9, Instant.EPOCH));
    }

    @Test
    void speaksVersionThreeWhereThereIsOne() throws Exception {
        answer(3, "Wait", WaitResponse.newBuilder().setExitStatus(9).build());

        assertThat(connect(3, 3).wait("a", INIT).get().status()).isEqualTo(9);
    }

    @Test
    void refusesAServerThatIsNoShim() throws Exception {
        assertThatThrownBy(() -> connect(3, 7))
                .isInstanceOfSatisfying(
                        ShimException.Rejected.class, e -> assertThat(e.code()).isEqualTo(StatusCode.UNIMPLEMENTED));
    }

    @Test
    void givesUpWaitingForAnAnswerInTime() throws Exception {
        hold("State");
        Shim shim = connect(2, 2);

        assertThatThrownBy(() -> shim.state("a", INIT, Duration.ofMillis(100)))
                .isInstanceOf(ShimException.TimedOut.class)
                .hasMessageStartingWith("cannot ask for the state of container a: no answer within");
        assertThat(shim.closed()).isNotDone();
    }

    @Test
    void anInterruptEndsTheWaiting() throws Exception {
        hold("Pause");
        Shim shim = connect(2, 2);
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        Thread caller = Thread.ofPlatform().start(() -> {
            failure.complete(catchThrowableOfType(ShimException.class, () -> shim.pause("a")));
            flag.complete(Thread.currentThread().isInterrupted());
        });
        caller.interrupt();

        assertThat(failure.get(5, TimeUnit.SECONDS))
                .isInstanceOf(ShimException.Unavailable.class)
                .hasMessage("cannot pause container a: interrupted");
        assertThat(flag.get()).isTrue();
    }

    @Test
    void theEndOfTheConnectionFailsWhatWaits() throws Exception {
        hold("Wait");
        Shim shim = connect(2, 2);
        CompletableFuture<Exit> exit = shim.wait("a", Optional.of("e"));
        shim.disconnect();

        assertThatThrownBy(() -> exit.get(5, TimeUnit.SECONDS))
                .cause()
                .isInstanceOf(ShimException.Unavailable.class)
                .hasMessageStartingWith("cannot wait for exec e in container a: ");
        assertThat(shim.closed()).isCompleted();
        assertThatThrownBy(() -> shim.pause("a")).isInstanceOf(ShimException.Unavailable.class);
        shim.shutdown("a"); // what is gone need not be ended
    }

    @Test
    void keepsTheShimsWordsAndItsCode() throws Exception {
        for (StatusCode code : StatusCode.values()) {
            if (code != StatusCode.OK) {
                ShimException failure = ShimException.of("cannot do x", code, "because");
                assertThat(failure).hasMessage("cannot do x: because");
                assertThat(failure.reason()).isEqualTo("because");
            }
        }
        methods.put("containerd.task.v2.Task/Pause", _ -> {
            throw ShimException.of("cannot freeze", StatusCode.FAILED_PRECONDITION, "not running");
        });
        assertThatThrownBy(() -> connect(2, 2).pause("a"))
                .isInstanceOf(ShimException.FailedPrecondition.class)
                .hasMessage("cannot pause container a: cannot freeze: not running");
    }

    @Test
    void refusesAnAnswerThatIsNone() throws Exception {
        methods.put("containerd.task.v2.Task/Pids", _ -> BytesValue.of(ByteString.copyFrom(new byte[] {(byte) 0xff})));

        assertThatThrownBy(() -> connect(2, 2).pids("a"))
                .isInstanceOfSatisfying(
                        ShimException.Rejected.class, e -> assertThat(e.code()).isEqualTo(StatusCode.DATA_LOSS));
    }

    private Shim connect(int claimed, int spoken) throws Exception {
        answer(spoken, "Connect", ConnectResponse.newBuilder().setShimPid(42).build());
        Path socket = directory.resolve("shim" + System.nanoTime());
        TtrpcServer.listen(loop, socket, methods, threads);
        TtrpcClient client = TtrpcClient.dial(loop, socket, false, Deadline.in(LONG));
        return Shim.connect(client, new Bootstrap(claimed, "unix://" + socket, "ttrpc"), "a", LONG, () -> loop);
    }

    private void answer(int version, String method, MessageLite message) {
        methods.put("containerd.task.v%d.Task/%s".formatted(version, method), _ -> message);
    }

    private void hold(String method) {
        methods.put("containerd.task.v2.Task/" + method, _ -> {
            try {
                release.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return Empty.getDefaultInstance();
        });
    }
}
