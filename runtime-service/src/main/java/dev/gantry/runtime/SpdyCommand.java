package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.spdy.SpdyHeaders;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An exec or attach over SPDY: the client opens a stream for each channel and says by a header which it is. It begins
/// when all are there.
final class SpdyCommand implements SpdyConnection.Service, CommandClient {

    private static final Logger log = LoggerFactory.getLogger(SpdyCommand.class);

    private static final long OPENING_SECONDS = 30;
    private static final int FIRST_WITH_RESIZE = 3;

    private enum Kind {
        ERROR,
        STDIN,
        STDOUT,
        STDERR,
        RESIZE;

        static @Nullable Kind of(@Nullable String header) {
            return switch (header) {
                case "error" -> ERROR;
                case "stdin" -> STDIN;
                case "stdout" -> STDOUT;
                case "stderr" -> STDERR;
                case "resize" -> RESIZE;
                case null, default -> null;
            };
        }
    }

    private final Channel channel;
    private final SpdyConnection connection;
    private final CommandProtocol protocol;
    private final StreamRequest.Command request;
    private final CommandSession session;
    private final Map<Kind, Integer> ids = new EnumMap<>(Kind.class);
    /// Streams of which our half has ended.
    private final Set<Integer> ended = new HashSet<>();

    SpdyCommand(
            Channel channel,
            SpdyConnection connection,
            CommandProtocol protocol,
            StreamRequest.Command request,
            CommandSession.Factory sessions) {
        this.channel = channel;
        this.connection = connection;
        this.protocol = protocol;
        this.request = request;
        this.session = sessions.session(channel, this, connection.reading());
        var late = channel.eventLoop().schedule(this::late, OPENING_SECONDS, TimeUnit.SECONDS);
        var _ = channel.closeFuture().addListener(_ -> late.cancel(false));
    }

    private void late() {
        if (!isComplete()) {
            log.debug("a client did not open all its streams");
            connection.close();
        }
    }

    private boolean isWanted(Kind kind) {
        return switch (kind) {
            case ERROR -> true;
            case STDIN -> request.streams().stdin();
            case STDOUT -> request.streams().stdout();
            case STDERR -> request.streams().stderr();
            case RESIZE -> request.terminal() && protocol.version() >= FIRST_WITH_RESIZE;
        };
    }

    private boolean isComplete() {
        for (Kind kind : Kind.values()) {
            if (isWanted(kind) && !ids.containsKey(kind)) {
                return false;
            }
        }
        return true;
    }

    @Override
    public SpdyConnection.@Nullable Stream opened(int id, SpdyHeaders headers) {
        Kind kind = Kind.of(headers.getAsString("streamtype"));
        if (kind == null || !isWanted(kind) || ids.putIfAbsent(kind, id) != null) {
            return null;
        }
        if (isComplete()) {
            channel.eventLoop().execute(session::begin); // after the reply
        }
        return new Half(kind);
    }

    /// The client's half of a stream.
    private final class Half implements SpdyConnection.Stream {

        private final Kind kind;
        private final TerminalSizes sizes = new TerminalSizes(session::resize);

        Half(Kind kind) {
            this.kind = kind;
        }

        @Override
        public void data(ByteBuf bytes) {
            switch (kind) {
                case STDIN -> session.input(bytes);
                case RESIZE -> sizes.add(bytes);
                case ERROR, STDOUT, STDERR -> bytes.release();
            }
        }

        @Override
        public void ended() {
            if (kind == Kind.STDIN) {
                session.inputEnded();
            }
        }

        @Override
        public void reset() {
            ended();
        }
    }

    @Override
    public void gone() {
        session.gone();
    }

    @Override
    public ChannelFuture send(LogStream stream, ByteBuf bytes) {
        return connection.send(id(stream), bytes);
    }

    @Override
    public void end(LogStream stream) {
        int id = id(stream);
        if (ended.add(id)) {
            connection.end(id);
        }
    }

    private int id(LogStream stream) {
        Integer id = ids.get(
                switch (stream) {
                    case STDOUT -> Kind.STDOUT;
                    case STDERR -> Kind.STDERR;
                });
        if (id == null) {
            throw new IllegalStateException("output that was not asked for: " + stream);
        }
        return id;
    }

    @Override
    public void finish(CommandOutcome outcome) {
        byte[] message = protocol.encode(outcome);
        ids.forEach((kind, id) -> {
            if (kind == Kind.ERROR && message.length > 0) {
                var _ = connection.send(id, Unpooled.wrappedBuffer(message));
            }
        });
        ids.values().stream().filter(ended::add).forEach(connection::end);
        connection.linger();
    }
}
