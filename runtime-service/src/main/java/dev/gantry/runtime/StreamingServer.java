package dev.gantry.runtime;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.handler.timeout.WriteTimeoutHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The HTTP server to which clients come for their streams. It is made when the first stream is asked for.
final class StreamingServer implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(StreamingServer.class);

    private static final int IO_THREADS = 2;
    private static final int MAX_REQUEST = 16 << 10;
    /// Chunks of 1 MiB: what streams need at once is little, and the rest goes back.
    private static final int PAGE = 8 << 10;
    private static final int CHUNK_ORDER = 7;

    private final StreamingSettings settings;
    private final EventLoopGroup io = new MultiThreadIoEventLoopGroup(
            IO_THREADS, new DefaultThreadFactory("stream-io", true), NioIoHandler.newFactory());
    private final ByteBufAllocator memory = new PooledByteBufAllocator(true, 0, 1, PAGE, CHUNK_ORDER, 64, 32, false);
    private final AtomicInteger streams = new AtomicInteger();
    private final Channel listener;
    private final String scheme;

    private StreamingServer(
            StreamingSettings settings, Optional<SslContext> tls, Supplier<StreamingHandshake> handshakes) {
        this.settings = settings;
        this.scheme = tls.isPresent() ? "https" : "http";
        var bound = new ServerBootstrap()
                .group(io)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.ALLOCATOR, memory)
                // What is read before a stop to the reading takes effect.
                .childOption(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(2))
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        accept(channel, tls, handshakes);
                    }
                })
                .bind(new InetSocketAddress(settings.address(), settings.port()))
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            close(io);
            throw new ContainerException.Failed(
                    "cannot listen for streams on %s port %d; choose others by streaming.address and streaming.port"
                            .formatted(settings.address(), settings.port()),
                    bound.cause());
        }
        this.listener = bound.channel();
        log.atInfo().addKeyValue("address", listener.localAddress()).log("serving streams");
    }

    /// Serves when this returns.
    ///
    /// @throws ContainerException.Failed if the address is taken or the TLS files are not as they must be
    static StreamingServer start(StreamingSettings settings, Supplier<StreamingHandshake> handshakes) {
        return new StreamingServer(settings, settings.tls().map(StreamingServer::tls), handshakes);
    }

    private static SslContext tls(StreamingSettings.Tls files) {
        try {
            return SslContextBuilder.forServer(
                            files.certificate().toFile(), files.key().toFile())
                    .sslProvider(SslProvider.JDK)
                    .build();
        } catch (SSLException | IllegalArgumentException e) {
            throw new ContainerException.Failed(
                    "cannot use %s and %s for the streaming server: they must hold a certificate chain and its private key in PEM form (PKCS#8)"
                            .formatted(files.certificate(), files.key()),
                    e);
        }
    }

    private void accept(SocketChannel channel, Optional<SslContext> tls, Supplier<StreamingHandshake> handshakes) {
        if (streams.incrementAndGet() > settings.maxStreams()) {
            streams.decrementAndGet();
            log.atWarn().addKeyValue("max_streams", settings.maxStreams()).log("too many streams; a client is refused");
            var _ = channel.close();
            return;
        }
        var _ = channel.closeFuture().addListener(_ -> streams.decrementAndGet());
        tls.ifPresent(it -> channel.pipeline().addLast(it.newHandler(channel.alloc())));
        channel.pipeline()
                .addLast(new IdleStateHandler(0, 0, settings.idleTimeout().toMillis(), TimeUnit.MILLISECONDS))
                .addLast(new StalledWrites(settings.idleTimeout()))
                .addLast(new HttpServerCodec(new HttpDecoderConfig()))
                .addLast(new HttpObjectAggregator(MAX_REQUEST))
                .addLast(handshakes.get());
    }

    /// Closes the connection of a client that does not take what it is sent. What such a client still sends, pings
    /// say, counts as a movement, and what waits behind the rest cannot tell it that it is closed.
    private static final class StalledWrites extends WriteTimeoutHandler {

        StalledWrites(Duration patience) {
            super(patience.toMillis(), TimeUnit.MILLISECONDS);
        }

        @Override
        protected void writeTimedOut(ChannelHandlerContext context) {
            log.debug("a client has not taken for long what it was sent; it is closed");
            var _ = context.close();
        }
    }

    /// `http://127.0.0.1:4711`
    String address() {
        InetSocketAddress at = (InetSocketAddress) listener.localAddress();
        String host = at.getAddress().getHostAddress();
        return "%s://%s:%d".formatted(scheme, host.indexOf(':') >= 0 ? "[" + host + "]" : host, at.getPort());
    }

    /// Ends all streams.
    @Override
    public void close() {
        close(io);
    }

    private static void close(EventLoopGroup io) {
        io.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
