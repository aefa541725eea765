package dev.gantry.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.Empty;
import dev.gantry.cri.ttrpc.Response;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class TtrpcTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String SERVICE = "test.Service";
    private static final int THREADS = 8;

    @TempDir
    private Path directory;

    private final TtrpcLoop loop = new TtrpcLoop("ttrpc");
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    private final CountDownLatch held = new CountDownLatch(1);
    private Path socket;

    @BeforeEach
    void serve() throws IOException {
        socket = directory.resolve("socket");
        Map<String, TtrpcServer.Method> methods = Map.of(
                SERVICE + "/Echo",
                BytesValue::parseFrom,
                SERVICE + "/Hold",
                _ -> {
                    awaitRelease();
                    return Empty.getDefaultInstance();
                },
                SERVICE + "/Fail",
                _ -> {
                    throw new ShimException.NotFound("cannot find x", "it is not there");
                },
                SERVICE + "/Break",
                _ -> {
                    throw new IllegalStateException("secret detail");
                },
                SERVICE + "/Big",
                _ -> BytesValue.of(ByteString.copyFrom(new byte[Frame.MAX_DATA + 1])));
        TtrpcServer.listen(loop, socket, methods, threads);
    }

    @AfterEach
    void stop() {
        held.countDown();
        loop.close();
        threads.shutdownNow();
    }

    @Test
    void carriesThousandCallsAtTheSameTime() throws Exception {
        try (TtrpcClient client = dial()) {
            for (int i = 0; i < THREADS; i++) { // so that all the others wait at the same time
                var _ = client.call(SERVICE, "Hold", ByteString.EMPTY, LONG);
            }
            List<CompletableFuture<Response>> calls = IntStream.range(0, 1000)
                    .parallel()
                    .mapToObj(i -> echo(client, "call " + i))
                    .toList();
            assertThat(calls).noneMatch(CompletableFuture::isDone);
            held.countDown();

            for (int i = 0; i < calls.size(); i++) {
                assertThat(payload(calls.get(i).get())).isEqualTo(ByteString.copyFromUtf8("call " + i));
            }
        }
    }

    @Test
    void carriesMessagesUpToFourMebibytes() throws Exception {
        byte[] random = new byte[Frame.MAX_DATA - 1000];
        new Random(1).nextBytes(random);
        ByteString big = ByteString.copyFrom(random);
        try (TtrpcClient client = dial()) {
            List<CompletableFuture<Response>> calls = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                calls.add(client.call(SERVICE, "Echo", BytesValue.of(big).toByteString(), LONG));
            }
            for (CompletableFuture<Response> call : calls) {
                assertThat(payload(call.get())).isEqualTo(big);
            }
        }
    }

    @Test
    void refusesLargerMessagesAndGoesOn() throws Exception {
        try (TtrpcClient client = dial()) {
            ByteString tooBig = ByteString.copyFrom(new byte[Frame.MAX_DATA + 1]);
            assertThat(status(client.call(SERVICE, "Echo", tooBig, LONG))).isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
            assertThat(status(client.call(SERVICE, "Big", ByteString.EMPTY, LONG)))
                    .isEqualTo(StatusCode.RESOURCE_EXHAUSTED);
            assertThat(payload(echo(client, "still there").get())).isEqualTo(ByteString.copyFromUtf8("still there"));
        }
    }

    @Test
    void aServerAnswersAnOversizedFrameAndReadsOn() throws Exception {
        try (SocketChannel raw = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            int length = Frame.MAX_DATA + 5;
            write(raw, header(length, 1, Frame.REQUEST));
            write(raw, ByteBuffer.allocate(length));
            InputStream in = Channels.newInputStream(raw);

            assertThat(read(in).getStatus().getCode()).isEqualTo(StatusCode.RESOURCE_EXHAUSTED.number());
        }
    }

    @Test
    void mapsFailuresToCodesAndKeepsInternalsToItself() throws Exception {
        try (TtrpcClient client = dial()) {
            assertThat(status(client.call(SERVICE, "Fail", ByteString.EMPTY, LONG)))
                    .isEqualTo(StatusCode.NOT_FOUND);
            assertThat(status(client.call(SERVICE, "Nothing", ByteString.EMPTY, LONG)))
                    .isEqualTo(StatusCode.UNIMPLEMENTED);
            assertThat(status(client.call(SERVICE, "Echo", ByteString.copyFromUtf8("\u007f"), LONG)))
                    .isEqualTo(StatusCode.INVALID_ARGUMENT);
            Response broken =
                    client.call(SERVICE, "Break", ByteString.EMPTY, LONG).get();
            assertThat(broken.getStatus().getCode()).isEqualTo(StatusCode.INTERNAL.number());
            assertThat(broken.getStatus().getMessage()).doesNotContain("secret");
        }
    }

    @Test
    void aSlowCallHoldsUpNoOther() throws Exception {
        try (TtrpcClient client = dial()) {
            CompletableFuture<Response> slow = client.call(SERVICE, "Hold", ByteString.EMPTY, LONG);
            assertThat(payload(echo(client, "quick").get())).isEqualTo(ByteString.copyFromUtf8("quick"));
            assertThat(slow).isNotDone();
            held.countDown();
            assertThat(slow.get().getStatus().getCode()).isZero();
        }
    }

    @Test
    void closingFailsTheCallsThatWait() throws Exception {
        TtrpcClient client = dial();
        CompletableFuture<Response> call = client.call(SERVICE, "Hold", ByteString.EMPTY, LONG);
        client.close();

        assertThatThrownBy(call::get).isInstanceOf(ExecutionException.class).hasCauseInstanceOf(IOException.class);
        assertThat(client.closed()).isCompleted();
        assertThatThrownBy(() -> echo(client, "late").get()).hasCauseInstanceOf(IOException.class);
    }

    @Test
    void theEndOfTheServerFailsTheCallsThatWait() throws Exception {
        Path other = directory.resolve("other");
        TtrpcServer server = TtrpcServer.listen(
                loop,
                other,
                Map.of(SERVICE + "/Hold", _ -> {
                    awaitRelease();
                    return Empty.getDefaultInstance();
                }),
                threads);
        try (TtrpcClient client = TtrpcClient.dial(loop, other, false, Deadline.in(LONG))) {
            CompletableFuture<Response> call = client.call(SERVICE, "Hold", ByteString.EMPTY, LONG);
            server.close();

            assertThatThrownBy(call::get).hasCauseInstanceOf(IOException.class);
            client.closed().get(5, TimeUnit.SECONDS);
            assertThat(other).doesNotExist();
        }
    }

    @Test
    void anAnswerThatComesTooLateIsDropped() throws Exception {
        try (TtrpcClient client = dial()) {
            CompletableFuture<Response> call = client.call(SERVICE, "Hold", ByteString.EMPTY, LONG);
            call.cancel(false);
            held.countDown();
            assertThat(payload(echo(client, "next").get())).isEqualTo(ByteString.copyFromUtf8("next"));
            assertThat(client.closed()).isNotDone();
        }
    }

    @Test
    void garbageClosesThatConnectionOnly() throws Exception {
        byte[][] garbage = {
            "GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8),
            Frame.request(2, ByteString.EMPTY).encode().array(), // an even stream
            Frame.response(1, ByteString.EMPTY).encode().array(), // a response to a server
            Frame.request(1, ByteString.copyFromUtf8("\u007f\u007f")).encode().array(),
            new byte[] {-1, -1, -1, -1, 0, 0, 0, 1, 1, 0},
        };
        try (TtrpcClient client = dial()) {
            for (byte[] bytes : garbage) {
                try (SocketChannel raw = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                    write(raw, ByteBuffer.wrap(bytes));
                    assertThat(raw.read(ByteBuffer.allocate(1))).isEqualTo(-1);
                }
            }
            assertThat(payload(echo(client, "unharmed").get())).isEqualTo(ByteString.copyFromUtf8("unharmed"));
        }
    }

    @Test
    void aReusedStreamClosesTheConnection() throws Exception {
        try (SocketChannel raw = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            ByteBuffer request = Frame.request(3, ByteString.EMPTY).encode();
            write(raw, request.duplicate());
            InputStream in = Channels.newInputStream(raw);
            assertThat(read(in).getStatus().getCode()).isEqualTo(StatusCode.UNIMPLEMENTED.number());
            write(raw, request);
            assertThat(in.read()).isEqualTo(-1);
        }
    }

    @Test
    void aServerThatTalksNonsenseFailsTheCallsOfThatClient() throws Exception {
        Path other = directory.resolve("nonsense");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(other));
            for (Frame nonsense : List.of(
                    Frame.response(99, ByteString.EMPTY),
                    Frame.request(1, ByteString.EMPTY),
                    Frame.response(1, ByteString.copyFromUtf8("\u007f")))) {
                try (TtrpcClient client = TtrpcClient.dial(loop, other, false, Deadline.in(LONG));
                        SocketChannel server = listener.accept()) {
                    CompletableFuture<Response> call = echo(client, "x");
                    write(server, nonsense.encode());
                    assertThatThrownBy(call::get).hasCauseInstanceOf(IOException.class);
                    client.closed().get(5, TimeUnit.SECONDS);
                }
            }
        }
    }

    @Test
    void aPeerThatNeverReadsMakesSendingFailInsteadOfFillingMemory() throws Exception {
        Path other = directory.resolve("deaf");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(other));
            try (TtrpcClient client = TtrpcClient.dial(loop, other, false, Deadline.in(LONG))) {
                ByteString big = ByteString.copyFrom(new byte[3 << 20]);
                List<CompletableFuture<Response>> calls = IntStream.range(0, 10)
                        .mapToObj(_ -> client.call(SERVICE, "Echo", big, LONG))
                        .toList();
                assertThat(calls.getFirst()).isNotDone();
                assertThatThrownBy(() -> calls.getLast().get()).rootCause().hasMessage("the other side does not read");
            }
        }
    }

    @Test
    void waitsForASocketThatAppearsLater() throws Exception {
        Path later = directory.resolve("later");
        assertThatThrownBy(() -> TtrpcClient.dial(loop, later, false, Deadline.in(LONG)))
                .isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> TtrpcClient.dial(loop, later, true, Deadline.in(Duration.ofMillis(50))))
                .isInstanceOf(NoSuchFileException.class);

        var dialled = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return TtrpcClient.dial(loop, later, true, Deadline.in(LONG));
                    } catch (IOException | InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                },
                threads);
        Thread.sleep(50);
        assertThat(dialled).isNotDone();
        TtrpcServer.listen(loop, later, Map.of(SERVICE + "/Echo", BytesValue::parseFrom), threads);

        try (TtrpcClient client = dialled.get()) {
            assertThat(payload(echo(client, "hello").get())).isEqualTo(ByteString.copyFromUtf8("hello"));
        }
    }

    @Test
    void tellsASocketWithoutListenerAtOnce() throws Exception {
        Path stale = directory.resolve("stale");
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(stale));
        listener.close();
        assertThatThrownBy(() -> TtrpcClient.dial(loop, stale, false, Deadline.in(LONG)))
                .isInstanceOf(ConnectException.class);
    }

    @Test
    void theSocketIsPrivateAndReplacesALeftOverOne() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo("rw-------");
        try (TtrpcServer _ =
                        TtrpcServer.listen(loop, socket, Map.of(SERVICE + "/Echo", BytesValue::parseFrom), threads);
                TtrpcClient client = dial()) {
            assertThat(payload(echo(client, "new").get())).isEqualTo(ByteString.copyFromUtf8("new"));
        }
    }

    private TtrpcClient dial() throws IOException, InterruptedException {
        return TtrpcClient.dial(loop, socket, false, Deadline.in(LONG));
    }

    private void awaitRelease() {
        try {
            held.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static CompletableFuture<Response> echo(TtrpcClient client, String text) {
        ByteString request = BytesValue.of(ByteString.copyFromUtf8(text)).toByteString();
        return client.call(SERVICE, "Echo", request, LONG);
    }

    private static ByteString payload(Response response) throws IOException {
        assertThat(response.getStatus().getCode()).isZero();
        return BytesValue.parseFrom(response.getPayload()).getValue();
    }

    private static StatusCode status(CompletableFuture<Response> call) throws Exception {
        return StatusCode.of(call.get().getStatus().getCode());
    }

    private static ByteBuffer header(int length, int stream, byte type) {
        return ByteBuffer.allocate(Frame.HEADER)
                .putInt(length)
                .putInt(stream)
                .put(type)
                .put((byte) 0)
                .flip();
    }

    private static void write(SocketChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static Response read(InputStream in) throws IOException {
        int length = ByteBuffer.wrap(in.readNBytes(Frame.HEADER)).getInt(0);
        return Response.parseFrom(in.readNBytes(length));
    }
}
