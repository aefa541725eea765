package dev.gantry.shim;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.cri.google.rpc.Status;
import dev.gantry.cri.ttrpc.KeyValue;
import dev.gantry.cri.ttrpc.Request;
import dev.gantry.cri.ttrpc.Response;
import java.io.IOException;
import java.net.ConnectException;
import java.net.ProtocolException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/// The calling side of a ttrpc connection: any number of unary calls at the same time.
///
/// Futures are completed on the loop's thread: whatever hangs on them must not block.
final class TtrpcClient implements TtrpcConnection.Peer, AutoCloseable {

    private static final KeyValue NAMESPACE = KeyValue.newBuilder()
            .setKey("containerd-namespace-ttrpc")
            .setValue(Shims.NAMESPACE)
            .build();

    private final TtrpcConnection connection;
    private final Map<Integer, CompletableFuture<Response>> pending = new ConcurrentHashMap<>();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final Object sending = new Object();
    private int lastStream = -1; // guarded by sending, read by the loop's thread
    private volatile boolean ended;

    private TtrpcClient(TtrpcLoop loop, SocketChannel channel) {
        connection = new TtrpcConnection(loop, channel, this);
    }

    /// Connects to a socket; tries again while its backlog is full.
    ///
    /// @param mayAppear whether to try again also while nobody listens there yet
    /// @throws NoSuchFileException if there is no such socket
    /// @throws ConnectException if nobody listens on it
    static TtrpcClient dial(TtrpcLoop loop, Path socket, boolean mayAppear, Deadline deadline)
            throws IOException, InterruptedException {
        SocketChannel channel = channel(socket, mayAppear, deadline);
        try {
            TtrpcClient client = new TtrpcClient(loop, channel);
            client.connection.open();
            return client;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /// A connected, non-blocking socket; otherwise as [#dial].
    static SocketChannel channel(Path socket, boolean mayAppear, Deadline deadline)
            throws IOException, InterruptedException {
        for (long pause = 1; ; pause = Math.min(2 * pause, 50)) {
            try {
                return connect(socket);
            } catch (NoSuchFileException | ConnectException e) {
                if (!mayAppear || deadline.passed()) {
                    throw e;
                }
            } catch (SocketException e) { // EAGAIN has no class of its own
                if (deadline.passed()) {
                    throw e;
                }
            }
            Thread.sleep(pause);
        }
    }

    private static SocketChannel connect(Path socket) throws IOException {
        if (Files.notExists(socket)) {
            throw new NoSuchFileException(socket.toString());
        }
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.configureBlocking(false); // a full backlog then fails instead of blocking
            if (!channel.connect(UnixDomainSocketAddress.of(socket))) {
                throw new SocketException("the connection is not made at once");
            }
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /// Sends a request.
    ///
    /// @param timeout told to the server, zero for none; the caller bounds its own waiting and cancels the
    ///     future
    /// @return the answer, which may be an error status; fails with an IOException if the connection ends
    ///     first
    CompletableFuture<Response> call(String service, String method, ByteString payload, Duration timeout) {
        ByteString request = request(service, method, payload, timeout);
        CompletableFuture<Response> answer = new CompletableFuture<>();
        if (request.size() > Frame.MAX_DATA) {
            return CompletableFuture.completedFuture(
                    error(StatusCode.RESOURCE_EXHAUSTED, "the request has %d bytes".formatted(request.size())));
        }
        int stream;
        synchronized (sending) { // streams must appear on the wire in the order of their numbers
            stream = lastStream + 2;
            pending.put(stream, answer);
            try {
                lastStream = stream;
                connection.send(Frame.request(stream, request));
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
        }
        if (ended) { // closed() may have run before the call was registered
            answer.completeExceptionally(new IOException("the connection is closed"));
        }
        var _ = answer.whenComplete((_, _) -> pending.remove(stream));
        return answer;
    }

    /// The data of a request's frame.
    static ByteString request(String service, String method, ByteString payload, Duration timeout) {
        return Request.newBuilder()
                .setService(service)
                .setMethod(method)
                .setPayload(payload)
                .setTimeoutNano(timeout.toNanos())
                .addMetadata(NAMESPACE)
                .build()
                .toByteString();
    }

    /// Completed when the connection has ended, for whatever reason.
    CompletableFuture<Void> closed() {
        return closed;
    }

    @Override
    public void frame(Frame frame) throws ProtocolException {
        switch (frame.type()) {
            case Frame.RESPONSE -> answer(frame.stream(), parse(frame));
            case Frame.DATA -> {} // only streaming calls have it, and we make none
            default -> throw TtrpcConnection.unexpected(frame);
        }
    }

    private static Response parse(Frame frame) throws ProtocolException {
        try {
            return Response.parseFrom(frame.data());
        } catch (InvalidProtocolBufferException e) {
            var failure = new ProtocolException("a ttrpc response is malformed");
            failure.initCause(e);
            throw failure;
        }
    }

    private void answer(int stream, Response response) throws ProtocolException {
        CompletableFuture<Response> call = pending.get(stream);
        if (call != null) {
            call.complete(response);
        } else if (!wasUsed(stream)) {
            throw new ProtocolException("response on stream %d, which was never used".formatted(stream));
        } // else the caller has given up waiting
    }

    private boolean wasUsed(int stream) {
        synchronized (sending) {
            return stream % 2 == 1 && stream <= lastStream;
        }
    }

    @Override
    public void oversized(int stream, byte type, int length) throws ProtocolException {
        if (type == Frame.RESPONSE) {
            answer(stream, error(StatusCode.RESOURCE_EXHAUSTED, "the answer has %d bytes".formatted(length)));
        }
    }

    @Override
    public void closed(IOException reason) {
        ended = true;
        for (CompletableFuture<Response> call : pending.values()) {
            call.completeExceptionally(reason);
        }
        closed.complete(null);
    }

    static Response error(StatusCode code, String message) {
        return Response.newBuilder()
                .setStatus(Status.newBuilder().setCode(code.number()).setMessage(message))
                .build();
    }

    @Override
    public void close() {
        connection.stop();
    }
}
