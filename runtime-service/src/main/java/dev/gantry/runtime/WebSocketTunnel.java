package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/// Passes a stream of bytes through the binary messages of a WebSocket: what is above it sees a plain connection.
final class WebSocketTunnel extends ChannelDuplexHandler {

    private static final long LINGER_SECONDS = 5;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        switch (message) {
            case BinaryWebSocketFrame frame -> context.fireChannelRead(frame.content());
            case ContinuationWebSocketFrame frame -> context.fireChannelRead(frame.content());
            case PingWebSocketFrame ping -> {
                var _ = context.writeAndFlush(new PongWebSocketFrame(ping.content()));
            }
            case CloseWebSocketFrame close -> close(context, close, context.newPromise());
            default -> ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        Object out = message instanceof ByteBuf bytes ? new BinaryWebSocketFrame(bytes) : message;
        var _ = context.write(out, promise);
    }

    @Override
    public void close(ChannelHandlerContext context, ChannelPromise promise) {
        close(context, new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE), promise);
    }

    /// Waits until the client has taken what is before the frame, but not for long.
    private static void close(ChannelHandlerContext context, CloseWebSocketFrame frame, ChannelPromise promise) {
        Runnable closing = () -> {
            var _ = context.close(promise);
        };
        var late = context.executor().schedule(closing, LINGER_SECONDS, TimeUnit.SECONDS);
        var _ = context.channel().closeFuture().addListener(_ -> late.cancel(false));
        var _ = context.writeAndFlush(frame).addListener(_ -> closing.run());
    }
}
