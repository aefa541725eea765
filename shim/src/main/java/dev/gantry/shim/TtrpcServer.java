package dev.gantry.shim;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import dev.gantry.cri.ttrpc.Request;
import dev.gantry.cri.ttrpc.Response;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import jdk.net.ExtendedSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The answering side of ttrpc on a Unix socket of its own (mode 0600; the folder must be 0700), for unary
/// methods. Only processes of the user who runs this one are let in.
final class TtrpcServer implements TtrpcLoop.Handler, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(TtrpcServer.class);

    /// One method, by the name `service/Method`. A [ShimException] or a malformed message becomes its status.
    @FunctionalInterface
    interface Method {
        MessageLite call(ByteString request) throws InvalidProtocolBufferException;
    }

    private final TtrpcLoop loop;
    private final Path socket;
    private final Map<String, Method> methods;
    private final Executor executor;
    private final ServerSocketChannel listener;
    private final UserPrincipal self;
    private final Set<TtrpcConnection> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private TtrpcServer(
            TtrpcLoop loop, Path socket, Map<String, Method> methods, Executor executor, ServerSocketChannel listener)
            throws IOException {
        this.loop = loop;
        this.socket = socket;
        this.methods = Map.copyOf(methods);
        this.executor = executor;
        this.listener = listener;
        self = Files.getOwner(socket);
    }

    /// Listens. A socket file that is there already is taken for left over and replaced.
    ///
    /// @param executor runs the methods; what it rejects is answered with `RESOURCE_EXHAUSTED`
    static TtrpcServer listen(TtrpcLoop loop, Path socket, Map<String, Method> methods, Executor executor)
            throws IOException {
        Files.deleteIfExists(socket);
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            listener.bind(UnixDomainSocketAddress.of(socket));
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
            listener.configureBlocking(false);
            TtrpcServer server = new TtrpcServer(loop, socket, methods, executor, listener);
            loop.register(listener, SelectionKey.OP_ACCEPT, server);
            return server;
        } catch (IOException | RuntimeException e) {
            listener.close();
            throw e;
        }
    }

    @Override
    public void ready(SelectionKey key, ByteBuffer scratch) {
        try {
            for (SocketChannel channel = listener.accept(); channel != null; channel = listener.accept()) {
                serve(channel);
            }
        } catch (IOException e) {
            log.atWarn().addKeyValue("socket", socket).setCause(e).log("cannot accept a ttrpc connection");
        }
    }

    private void serve(SocketChannel channel) throws IOException {
        try {
            UserPrincipal user =
                    channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
            if (!user.equals(self)) {
                log.atWarn()
                        .addKeyValue("socket", socket)
                        .addKeyValue("user", user)
                        .log("refusing a ttrpc connection");
                channel.close();
                return;
            }
            channel.configureBlocking(false);
            new Caller(channel).open();
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public void stop() {
        try {
            listener.close();
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            log.atWarn().addKeyValue("socket", socket).setCause(e).log("cannot close a ttrpc socket");
        }
        loop.wakeup();
    }

    @Override
    public void close() {
        closed = true;
        stop();
        connections.forEach(TtrpcConnection::stop);
    }

    /// One connection of a caller.
    private final class Caller implements TtrpcConnection.Peer {

        private final TtrpcConnection connection;
        private int lastStream = -1; // the loop's thread only

        Caller(SocketChannel channel) {
            connection = new TtrpcConnection(loop, channel, this);
        }

        void open() throws IOException {
            connections.add(connection);
            connection.open();
            if (closed) { // close() may not have seen it
                connection.stop();
            }
        }

        @Override
        public void frame(Frame frame) throws ProtocolException {
            switch (frame.type()) {
                case Frame.REQUEST -> request(frame);
                case Frame.DATA -> {} // of a streaming call that was refused
                default -> throw TtrpcConnection.unexpected(frame);
            }
        }

        private void request(Frame frame) throws ProtocolException {
            use(frame.stream());
            Request request;
            try {
                request = Request.parseFrom(frame.data());
            } catch (InvalidProtocolBufferException e) {
                throw new ProtocolException("a ttrpc request is malformed: " + e.getMessage());
            }
            String name = request.getService() + "/" + request.getMethod();
            Method method = methods.get(name);
            if (method == null || frame.flags() != 0) {
                reply(frame.stream(), TtrpcClient.error(StatusCode.UNIMPLEMENTED, "no unary method " + name));
                return;
            }
            try {
                executor.execute(() -> reply(frame.stream(), run(name, method, request.getPayload())));
            } catch (RejectedExecutionException e) {
                reply(frame.stream(), TtrpcClient.error(StatusCode.RESOURCE_EXHAUSTED, "too many calls"));
            }
        }

        private void use(int stream) throws ProtocolException {
            if (stream % 2 != 1 || stream <= lastStream) {
                throw new ProtocolException("stream %d after stream %d".formatted(stream, lastStream));
            }
            lastStream = stream;
        }

        @Override
        public void oversized(int stream, byte type, int length) throws ProtocolException {
            if (type == Frame.REQUEST) {
                use(stream);
                reply(
                        stream,
                        TtrpcClient.error(StatusCode.RESOURCE_EXHAUSTED, "the request has %d bytes".formatted(length)));
            }
        }

        private void reply(int stream, Response response) {
            try {
                ByteString data = response.toByteString();
                if (data.size() > Frame.MAX_DATA) {
                    data = TtrpcClient.error(
                                    StatusCode.RESOURCE_EXHAUSTED, "the answer has %d bytes".formatted(data.size()))
                            .toByteString();
                }
                connection.send(Frame.response(stream, data));
            } catch (IOException e) {
                connection.close(e);
            }
        }

        @Override
        public void closed(IOException reason) {
            connections.remove(connection);
            if (reason instanceof ProtocolException) {
                log.atWarn()
                        .addKeyValue("socket", socket)
                        .addKeyValue("reason", reason.getMessage())
                        .log("closed a ttrpc connection");
            }
        }
    }

    private static Response run(String name, Method method, ByteString payload) {
        try {
            return Response.newBuilder()
                    .setPayload(method.call(payload).toByteString())
                    .build();
        } catch (InvalidProtocolBufferException e) {
            return TtrpcClient.error(StatusCode.INVALID_ARGUMENT, "malformed request of " + name);
        } catch (ShimException e) {
            return TtrpcClient.error(code(e), String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            log.atError().addKeyValue("method", name).setCause(e).log("a ttrpc method failed");
            return TtrpcClient.error(StatusCode.INTERNAL, "internal error");
        }
    }

    private static StatusCode code(ShimException failure) {
        return switch (failure) {
            case ShimException.NotFound _ -> StatusCode.NOT_FOUND;
            case ShimException.AlreadyExists _ -> StatusCode.ALREADY_EXISTS;
            case ShimException.FailedPrecondition _ -> StatusCode.FAILED_PRECONDITION;
            case ShimException.Unavailable _ -> StatusCode.UNAVAILABLE;
            case ShimException.TimedOut _ -> StatusCode.DEADLINE_EXCEEDED;
            case ShimException.Rejected e -> e.code();
            case ShimException.StartFailed _ -> StatusCode.INTERNAL;
        };
    }
}
