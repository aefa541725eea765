package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyHeaders;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyVersion;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The frames of a SPDY/3.1 connection, behind [SpdyFrameCodec]: which streams there are, and what comes on them.
///
/// There is no flow control of its own: the clients in the field neither send WINDOW_UPDATE nor heed it.
final class SpdyConnection extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(SpdyConnection.class);

    /// Largest piece in which data comes up; a frame may be 16 MiB.
    private static final int MAX_CHUNK = 64 << 10;
    private static final int MAX_HEADERS = 16 << 10;
    private static final int COMPRESSION_LEVEL = 1;
    private static final int WINDOW_BITS = 11;
    private static final int MEMORY_LEVEL = 1;
    private static final long LINGER_SECONDS = 5;

    /// [SpdyFrameCodec] passes frames on without the knowledge of the decoder that it extends, which asks for more
    /// whenever it thinks that there were none: a connection that is not to be read would be read all the same.
    private static final class ReadGate extends ChannelOutboundHandlerAdapter {
        @Override
        public void read(ChannelHandlerContext gate) {
            if (gate.channel().config().isAutoRead()) {
                var _ = gate.read();
            }
        }
    }

    /// What a client uses a connection for.
    interface Service {

        /// @return what becomes of the stream, or null if it is refused
        @Nullable
        Stream opened(int id, SpdyHeaders headers);

        /// The connection has ended.
        void gone();
    }

    /// The client's half of a stream.
    interface Stream {

        /// Owns the bytes.
        void data(ByteBuf bytes);

        /// The client sends no more.
        void ended();

        /// The client wants no more either.
        void reset();
    }

    private final Service service;
    private final ClientReading reading;
    private final ChannelHandlerContext context;
    private final Map<Integer, Stream> streams = new HashMap<>();
    private int pings = 2;
    /// Of the ping behind the last of all data, 0 if no answer to one is awaited.
    private int farewell;

    /// Puts the handlers that speak SPDY at the end of the pipeline.
    SpdyConnection(ChannelHandlerContext context, Function<SpdyConnection, Service> use) {
        this.reading = new ClientReading(context.channel(), this::ping);
        context.pipeline()
                .addLast(new ReadGate())
                .addLast(new SpdyFrameCodec(
                        SpdyVersion.SPDY_3_1, MAX_CHUNK, MAX_HEADERS, COMPRESSION_LEVEL, WINDOW_BITS, MEMORY_LEVEL))
                .addLast(this);
        this.context = context.pipeline().context(this);
        this.service = use.apply(this);
    }

    ClientReading reading() {
        return reading;
    }

    /// Sends data. Owns the bytes.
    ChannelFuture send(int id, ByteBuf bytes) {
        return context.writeAndFlush(new DefaultSpdyDataFrame(id, bytes));
    }

    /// Ends the server's half of a stream.
    void end(int id) {
        var _ = context.writeAndFlush(new DefaultSpdyDataFrame(id).setLast(true));
    }

    void reset(int id) {
        streams.remove(id);
        var _ = context.writeAndFlush(new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.CANCEL));
    }

    /// Lets the client take what was sent, however slowly, and close; closes itself if it does not.
    ///
    /// That all has been written says little: megabytes may wait in the kernel, and are lost when the client sends
    /// something to a connection that is closed on this side. Its answer to a ping says that it has taken them.
    void linger() {
        farewell = pings;
        ping();
    }

    private void answered(int ping) {
        if (ping == farewell) {
            farewell = 0;
            var closing = context.executor().schedule(this::close, LINGER_SECONDS, TimeUnit.SECONDS);
            var _ = context.channel().closeFuture().addListener(_ -> closing.cancel(false));
        }
    }

    void close() {
        var _ = context.close();
    }

    private void ping() {
        var _ = context.writeAndFlush(new DefaultSpdyPingFrame(pings));
        pings += 2;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object frame) {
        switch (frame) {
            case SpdyDataFrame data -> data(data);
            case SpdySynStreamFrame syn -> open(syn);
            case SpdyRstStreamFrame reset -> {
                Stream stream = streams.remove(reset.streamId());
                if (stream != null) {
                    stream.reset();
                }
            }
            // Those with even numbers answer ours.
            case SpdyPingFrame ping when (ping.id() & 1) == 0 -> answered(ping.id());
            case SpdyPingFrame ping -> {
                var _ = context.writeAndFlush(ping);
            }
            default -> ReferenceCountUtil.release(frame);
        }
    }

    private void data(SpdyDataFrame frame) {
        Stream stream = streams.get(frame.streamId());
        if (stream == null) {
            frame.release();
            return;
        }
        stream.data(copy(frame));
        if (frame.isLast()) {
            streams.remove(frame.streamId());
            stream.ended();
        }
    }

    /// The frame is a part of all that was read: as long as it is held the decoder cannot reuse that, and makes it
    /// larger.
    private ByteBuf copy(SpdyDataFrame frame) {
        try {
            return context.alloc().buffer(frame.content().readableBytes()).writeBytes(frame.content());
        } finally {
            frame.release();
        }
    }

    private void open(SpdySynStreamFrame syn) {
        int id = syn.streamId();
        Stream stream = syn.isInvalid() || syn.isTruncated() || streams.containsKey(id)
                ? null
                : service.opened(id, syn.headers());
        if (stream == null) {
            var _ = context.writeAndFlush(new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.REFUSED_STREAM));
            return;
        }
        streams.put(id, stream);
        var reply = new DefaultSpdySynReplyFrame(id);
        reply.headers().set("status", "200"); // Clients wait for ever for headers that are not there.
        var _ = context.writeAndFlush(reply);
        if (syn.isLast()) {
            streams.remove(id);
            stream.ended();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        service.gone();
        ctx.fireChannelInactive();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent) {
            log.debug("nothing moved on a stream for long; it is closed");
            close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (!(cause instanceof IOException)) {
            log.atDebug().setCause(cause).log("a client broke the SPDY protocol");
        }
        close();
    }
}
