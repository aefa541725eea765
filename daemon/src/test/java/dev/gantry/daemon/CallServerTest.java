package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.gantry.v1.CollectGarbageRequest;
import dev.gantry.cri.gantry.v1.CollectGarbageResponse;
import dev.gantry.cri.gantry.v1.GantryGrpc;
import dev.gantry.cri.gantry.v1.ImportRequest;
import dev.gantry.cri.gantry.v1.ImportResponse;
import dev.gantry.cri.gantry.v1.InfoRequest;
import dev.gantry.cri.gantry.v1.InfoResponse;
import dev.gantry.cri.gantry.v1.ListLeasesRequest;
import dev.gantry.cri.gantry.v1.PullProgress;
import dev.gantry.cri.gantry.v1.PullRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class CallServerTest {

    private static final int MAX_CALLS = 4;

    @TempDir
    private Path directory;

    private final MultiThreadIoEventLoopGroup clientThreads =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final List<ManagedChannel> channels = new ArrayList<>();
    private final Slow service = new Slow();
    private Path address;
    private CallServer server;

    @BeforeEach
    void start() {
        address = directory.resolve("g.sock");
        server = startAt(address);
    }

    @AfterEach
    void stop() throws InterruptedException {
        service.proceed.release(10_000);
        channels.forEach(ManagedChannel::shutdownNow);
        server.stop(Duration.ofSeconds(5));
        clientThreads.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void makesASocketForThoseItNamesAndLeavesNothingElse() throws IOException {
        Map<String, Object> status = Files.readAttributes(address, "unix:mode,uid,gid");

        assertThat(status).containsEntry("mode", 0140000 | 0620);
        assertThat(status).containsEntry("uid", 0).containsEntry("gid", 0);
        assertThat(directory).isDirectoryContaining(path -> path.equals(address));
        try (var entries = Files.list(directory)) {
            assertThat(entries).hasSize(1);
        }
    }

    @Test
    void answersLookupsWhileAllOtherCallsAreStuck() throws InterruptedException {
        var stub = GantryGrpc.newFutureStub(connect());
        for (int i = 0; i < 3 * MAX_CALLS; i++) {
            var _ = stub.import_(ImportRequest.getDefaultInstance());
        }
        service.started.acquire(MAX_CALLS);

        for (int i = 0; i < 100; i++) {
            assertThat(info(GantryGrpc.newBlockingStub(connect())).getVersion()).isEqualTo("test");
        }
        assertThat(service.started.tryAcquire())
                .as("calls beyond max_calls wait")
                .isFalse();

        service.proceed.release(3 * MAX_CALLS);
        service.started.acquire(2 * MAX_CALLS);
    }

    @Test
    void runsNoCallThatDoesWorkOnAnEventLoop() throws InterruptedException {
        var stub = GantryGrpc.newFutureStub(connect());
        service.proceed.release(20);
        for (int i = 0; i < 20; i++) {
            var _ = stub.import_(ImportRequest.getDefaultInstance());
        }
        service.started.acquire(20);

        assertThat(service.threads)
                .hasSize(20)
                .allSatisfy(thread -> assertThat(thread)
                        .isNotInstanceOf(FastThreadLocalThread.class)
                        .satisfies(t -> assertThat(t.getName()).matches("call-\\d+")));
    }

    @Test
    void refusesCallsThatWouldWaitForeverLong() throws InterruptedException {
        int beyond = MAX_CALLS + 16 * MAX_CALLS + 10;
        Queue<Status.Code> refusals = new ConcurrentLinkedQueue<>();
        CountDownLatch refused = new CountDownLatch(1);
        var stub = GantryGrpc.newStub(connect());
        for (int i = 0; i < beyond; i++) {
            stub.import_(ImportRequest.getDefaultInstance(), new Ignore<>() {
                @Override
                public void onError(Throwable failure) {
                    refusals.add(Status.fromThrowable(failure).getCode());
                    refused.countDown();
                }
            });
        }

        assertThat(refused.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(refusals).containsOnly(Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void letsRunningCallsFinishWhenItStops() throws Exception {
        var running = GantryGrpc.newFutureStub(connect()).import_(ImportRequest.getDefaultInstance());
        service.started.acquire();

        Thread stopping = Thread.ofPlatform().start(() -> {
            try {
                server.stop(Duration.ofSeconds(20));
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
        while (Files.exists(address)) {
            Thread.sleep(5);
        }
        assertThatThrownBy(() -> info(GantryGrpc.newBlockingStub(connect())))
                .satisfies(failure ->
                        assertThat(Status.fromThrowable(failure).getCode()).isEqualTo(Status.Code.UNAVAILABLE));
        service.proceed.release();

        assertThat(running.get(10, TimeUnit.SECONDS)).isEqualTo(ImportResponse.getDefaultInstance());
        stopping.join();
    }

    @Test
    void givesUpOnCallsThatOutlastTheDrain() throws Exception {
        var running = GantryGrpc.newFutureStub(connect()).import_(ImportRequest.getDefaultInstance());
        service.started.acquire();

        assertThat(server.stop(Duration.ofMillis(100))).isFalse();

        assertThatThrownBy(() -> running.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(StatusRuntimeException.class);
    }

    @Test
    void turnsWhatAServiceThrowsIntoAStatus() {
        var stub = GantryGrpc.newBlockingStub(connect());

        assertThatThrownBy(() -> stub.collectGarbage(CollectGarbageRequest.getDefaultInstance()))
                .hasMessage("FAILED_PRECONDITION: no garbage today");
        assertThatThrownBy(() -> stub.listLeases(ListLeasesRequest.getDefaultInstance()))
                .satisfies(failure ->
                        assertThat(Status.fromThrowable(failure).getCode()).isEqualTo(Status.Code.UNIMPLEMENTED));
        assertThat(server.interceptor().failed()).isEqualTo(2);
        assertThat(server.interceptor().running()).isZero();
    }

    @Test
    void endsTheStreamOfAClientThatWentAway() throws InterruptedException {
        Iterator<PullProgress> progress = GantryGrpc.newBlockingStub(connect()).pull(PullRequest.getDefaultInstance());
        progress.next();

        channels.getFirst().shutdownNow();

        assertThat(service.cancelled.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void refusesAnAddressWhereSomebodyServes() {
        assertThatThrownBy(() -> startAt(address))
                .isInstanceOf(DaemonException.AlreadyRunning.class)
                .hasMessageContaining("another process serves there");
        assertThat(info(GantryGrpc.newBlockingStub(connect())).getVersion()).isEqualTo("test");
    }

    @Test
    void replacesASocketThatNobodyServes() throws Exception {
        Path stale = directory.resolve("stale.sock");
        try (ServerSocketChannel left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            left.bind(UnixDomainSocketAddress.of(stale));
        }

        CallServer second = startAt(stale);
        try {
            assertThat(info(GantryGrpc.newBlockingStub(connect(stale))).getVersion())
                    .isEqualTo("test");
        } finally {
            second.stop(Duration.ZERO);
        }
    }

    @Test
    void doesNotReplaceAFile() throws IOException {
        Path file = Files.writeString(directory.resolve("precious"), "data");

        assertThatThrownBy(() -> startAt(file))
                .isInstanceOf(DaemonException.CannotListen.class)
                .hasMessageEndingWith("something that is no socket is there; remove it");
        assertThat(file).hasContent("data");
    }

    private CallServer startAt(Path path) {
        return CallServer.start(
                new Configuration.Grpc(path, 0620, 0, 0, 1 << 20, MAX_CALLS), List.of(service), failure -> {
                    return Status.FAILED_PRECONDITION.withDescription(failure.getMessage());
                });
    }

    private ManagedChannel connect() {
        return connect(address);
    }

    private ManagedChannel connect(Path path) {
        ManagedChannel channel = NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(path))
                .eventLoopGroup(clientThreads)
                .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
                .usePlaintext()
                .build();
        channels.add(channel);
        return channel;
    }

    private static InfoResponse info(GantryGrpc.GantryBlockingStub stub) {
        return stub.withDeadlineAfter(10, TimeUnit.SECONDS).info(InfoRequest.getDefaultInstance());
    }

    /// A service whose imports take as long as a test wants.
    private static final class Slow extends GantryGrpc.GantryImplBase {

        private final Semaphore started = new Semaphore(0);
        private final Semaphore proceed = new Semaphore(0);
        private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();
        private final CountDownLatch cancelled = new CountDownLatch(1);

        @Override
        public void import_(ImportRequest request, StreamObserver<ImportResponse> answer) {
            threads.add(Thread.currentThread());
            started.release();
            proceed.acquireUninterruptibly();
            answer.onNext(ImportResponse.getDefaultInstance());
            answer.onCompleted();
        }

        @Override
        public void info(InfoRequest request, StreamObserver<InfoResponse> answer) {
            threads.add(Thread.currentThread());
            answer.onNext(InfoResponse.newBuilder().setVersion("test").build());
            answer.onCompleted();
        }

        @Override
        public void collectGarbage(CollectGarbageRequest request, StreamObserver<CollectGarbageResponse> answer) {
            throw new IllegalStateException("no garbage today");
        }

        @Override
        public void pull(PullRequest request, StreamObserver<PullProgress> answer) {
            AtomicBoolean open = new AtomicBoolean(true);
            ((io.grpc.stub.ServerCallStreamObserver<PullProgress>) answer).setOnCancelHandler(() -> {
                open.set(false);
                cancelled.countDown();
            });
            answer.onNext(PullProgress.getDefaultInstance());
        }
    }

    private abstract static class Ignore<T> implements StreamObserver<T> {
        @Override
        public void onNext(T value) {}

        @Override
        public void onCompleted() {}
    }
}
