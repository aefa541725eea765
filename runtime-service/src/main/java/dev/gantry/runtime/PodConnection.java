package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// One connection to a port in a pod, for one stream of a client: each half ends for itself, and neither side is read
/// faster than the other takes it. On the client's event loop only.
final class PodConnection implements InputQueue.Sink {

    /// How much may be on its way to the client before the pod is held up, and when it goes on.
    private static final int MUCH = 64 << 10;
    private static final int LITTLE = 16 << 10;

    /// The client's stream.
    interface Client {

        /// Owns the bytes.
        ChannelFuture send(ByteBuf bytes);

        /// The pod sends no more.
        void end();

        /// The connection is over.
        ///
        /// @param failure why, in words for the client; empty if it ended as it should
        void over(String failure);
    }

    private final Channel clientChannel;
    private final Client client;
    private final InputQueue input;
    private @Nullable Channel pod;
    private int onTheWay;
    private boolean podEnded;
    private boolean clientEnded;
    private boolean over;

    PodConnection(Channel clientChannel, ClientReading reading, Client client) {
        this.clientChannel = clientChannel;
        this.client = client;
        this.input = new InputQueue(reading, this);
    }

    void dial(PodDialer dialer, String sandbox, int port) {
        ChannelInitializer<NioSocketChannel> handlers = new ChannelInitializer<>() {
            @Override
            protected void initChannel(NioSocketChannel channel) {
                channel.config().setAllocator(clientChannel.alloc());
                channel.pipeline().addLast(new FromPod());
            }
        };
        var _ = dialer.dial(sandbox, port, clientChannel.eventLoop(), handlers)
                .whenComplete((channel, failure) -> clientChannel.eventLoop().execute(() -> {
                    if (failure != null) {
                        end(words(failure));
                    } else {
                        connected(channel);
                    }
                }));
    }

    private void connected(Channel channel) {
        pod = channel;
        if (over) {
            var _ = channel.close();
        } else if (!channel.isActive()) {
            end("");
        } else {
            input.open();
        }
    }

    private static String words(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return String.valueOf(cause.getMessage());
    }

    /// The client sends data. Owns the bytes.
    void data(ByteBuf bytes) {
        input.add(bytes);
    }

    /// The client sends no more.
    void ended() {
        input.end();
    }

    /// The client wants no more.
    void close() {
        end("");
    }

    private void end(String failure) {
        if (over) {
            return;
        }
        over = true;
        input.close();
        Channel channel = pod;
        if (channel != null) {
            var _ = channel.close();
        }
        client.over(failure);
    }

    @Override
    public void pass(ByteBuf bytes) {
        Channel channel = pod;
        if (channel == null) {
            bytes.release();
            return;
        }
        var _ = channel.writeAndFlush(bytes).addListener(written -> {
            if (written.isSuccess()) {
                input.next();
            } else {
                end("cannot write to the pod: " + written.cause().getMessage());
            }
        });
    }

    @Override
    public void end() {
        clientEnded = true;
        if (pod instanceof DuplexChannel channel) {
            var _ = channel.shutdownOutput();
        }
        endIfBothHave();
    }

    private void endIfBothHave() {
        if (podEnded && clientEnded) {
            end("");
        }
    }

    /// What comes from the pod.
    private final class FromPod extends ChannelInboundHandlerAdapter {

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            int count = bytes.readableBytes();
            if (over || count == 0) {
                bytes.release();
                return;
            }
            onTheWay += count;
            if (onTheWay > MUCH) {
                context.channel().config().setAutoRead(false);
            }
            var _ = client.send(bytes).addListener(_ -> {
                onTheWay -= count;
                if (onTheWay <= LITTLE) {
                    context.channel().config().setAutoRead(true);
                }
            });
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext context, Object event) {
            if (event instanceof ChannelInputShutdownEvent) {
                podEnded();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            podEnded();
            end("");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            end("the connection to the pod broke: " + cause.getMessage());
        }
    }

    private void podEnded() {
        if (!podEnded && !over) {
            podEnded = true;
            client.end();
            endIfBothHave();
        }
    }

    /// Words for an error channel.
    static ByteBuf text(String failure) {
        return Unpooled.wrappedBuffer(failure.getBytes(StandardCharsets.UTF_8));
    }
}
