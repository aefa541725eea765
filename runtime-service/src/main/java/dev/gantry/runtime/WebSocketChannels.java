package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.base64.Base64;
import io.netty.handler.codec.base64.Base64Dialect;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Channels over one WebSocket: the first byte of each message says to which it belongs. In the `base64` forms a
/// message is text, a digit and the bytes in base64.
final class WebSocketChannels extends ChannelInboundHandlerAdapter {

    private static final Logger log = LoggerFactory.getLogger(WebSocketChannels.class);

    /// With it, and the number of a channel behind it, a client of version 5 ends that channel.
    static final int CLOSE = 255;

    private static final long LINGER_SECONDS = 5;

    /// What a client uses the channels for.
    interface Service {

        /// Owns the bytes.
        void message(int channel, ByteBuf bytes);

        /// The connection has ended.
        void gone();
    }

    private final Service service;
    private final boolean base64;
    private final ClientReading reading;
    private final ChannelHandlerContext context;
    /// Of the message whose frames are coming in, −1 between messages.
    private int current = -1;

    private @Nullable ChannelFuture farewell;
    private @Nullable ScheduledFuture<?> late;

    /// Puts itself at the end of the pipeline.
    WebSocketChannels(ChannelHandlerContext context, boolean base64, Function<WebSocketChannels, Service> use) {
        this.base64 = base64;
        this.reading = new ClientReading(context.channel(), this::ping);
        context.pipeline().addLast(this);
        this.context = context.pipeline().context(this);
        this.service = use.apply(this);
    }

    ClientReading reading() {
        return reading;
    }

    /// Sends a message. Owns the bytes.
    ChannelFuture send(int channel, ByteBuf bytes) {
        return context.writeAndFlush(base64 ? text(channel, bytes) : binary(channel, bytes));
    }

    private WebSocketFrame binary(int channel, ByteBuf bytes) {
        ByteBuf head = context.alloc().buffer(1).writeByte(channel);
        return new BinaryWebSocketFrame(Unpooled.wrappedBuffer(head, bytes));
    }

    private WebSocketFrame text(int channel, ByteBuf bytes) {
        ByteBuf head = context.alloc().buffer(1).writeByte('0' + channel);
        try {
            ByteBuf encoded = Base64.encode(bytes, false, Base64Dialect.STANDARD);
            return new TextWebSocketFrame(Unpooled.wrappedBuffer(head, encoded));
        } finally {
            bytes.release();
        }
    }

    /// Says that it is over, behind all that was sent; the client answers when it has taken that, however slowly.
    void close() {
        var _ = say(new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE));
    }

    /// Unless another was said before. Owns the frame.
    private ChannelFuture say(CloseWebSocketFrame frame) {
        ChannelFuture said = farewell;
        if (said != null) {
            frame.release();
            return said;
        }
        said = context.writeAndFlush(frame).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        farewell = said;
        return said;
    }

    /// Tells the client why it is closed, but does not wait for long that it listens.
    private void cutOff(WebSocketCloseStatus status) {
        var _ = say(new CloseWebSocketFrame(status));
        abortSoon();
    }

    /// The client says that it is over, or answers that.
    private void closed(CloseWebSocketFrame frame) {
        var _ = say(frame).addListener(ChannelFutureListener.CLOSE);
        abortSoon();
    }

    private void abortSoon() {
        if (late == null) {
            var cutting = context.executor().schedule(this::abort, LINGER_SECONDS, TimeUnit.SECONDS);
            var _ = context.channel().closeFuture().addListener(_ -> cutting.cancel(false));
            late = cutting;
        }
    }

    private void abort() {
        var _ = context.close();
    }

    private void ping() {
        var _ = context.writeAndFlush(new PingWebSocketFrame());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        switch (message) {
            case PingWebSocketFrame ping -> {
                var _ = context.writeAndFlush(new PongWebSocketFrame(ping.content()));
            }
            case CloseWebSocketFrame close -> closed(close);
            case BinaryWebSocketFrame frame -> data(frame);
            case TextWebSocketFrame frame -> data(frame);
            case ContinuationWebSocketFrame frame -> data(frame);
            default -> ReferenceCountUtil.release(message);
        }
    }

    private void data(WebSocketFrame frame) {
        ByteBuf bytes = frame.content();
        if (!(frame instanceof ContinuationWebSocketFrame)) {
            if (!bytes.isReadable()) {
                frame.release();
                return;
            }
            current = bytes.readUnsignedByte() - (base64 ? '0' : 0);
        }
        int channel = current;
        if (frame.isFinalFragment()) {
            current = -1;
        }
        service.message(channel, base64 ? decoded(bytes) : bytes);
    }

    private static ByteBuf decoded(ByteBuf bytes) {
        try {
            return Base64.decode(bytes, Base64Dialect.STANDARD);
        } catch (IllegalArgumentException e) {
            throw new CorruptedFrameException(e);
        } finally {
            bytes.release();
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
            cutOff(WebSocketCloseStatus.ENDPOINT_UNAVAILABLE);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException) {
            abort();
        } else {
            log.atDebug().setCause(cause).log("a client broke the WebSocket protocol");
            cutOff(WebSocketCloseStatus.PROTOCOL_ERROR);
        }
    }
}
