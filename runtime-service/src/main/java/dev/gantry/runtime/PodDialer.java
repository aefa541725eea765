package dev.gantry.runtime;

import dev.gantry.linux.NetworkNamespaces;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.sandbox.Sandboxes;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/// Connects to ports of pods, on `localhost` as their processes see it: IPv4 first, then IPv6.
final class PodDialer {

    private static final int CONNECT_MILLIS = 10_000;

    private final Sandboxes sandboxes;
    private final SandboxPlaces places;
    private final Executor worker;

    PodDialer(Sandboxes sandboxes, SandboxPlaces places, Executor worker) {
        this.sandboxes = sandboxes;
        this.places = places;
        this.worker = worker;
    }

    /// Does not block.
    ///
    /// @param handlers puts what serves the connection into its pipeline, before it is connected
    /// @return the connection; completed on the event loop, or failed with words for the client
    CompletableFuture<Channel> dial(
            String sandbox, int port, EventLoop loop, ChannelInitializer<NioSocketChannel> handlers) {
        return connect(sandbox, port, StandardProtocolFamily.INET, loop, handlers)
                .exceptionallyCompose(first -> connect(sandbox, port, StandardProtocolFamily.INET6, loop, handlers)
                        .exceptionallyCompose(second -> {
                            CompletableFuture<Channel> failed = new CompletableFuture<>();
                            failed.completeExceptionally(new ContainerException.Failed(
                                    "cannot connect to port %d of pod sandbox %s: IPv4: %s, IPv6: %s"
                                            .formatted(port, sandbox, words(first), words(second)),
                                    null));
                            return failed;
                        }));
    }

    private static String words(Throwable failure) {
        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
        return String.valueOf(cause.getMessage());
    }

    private CompletableFuture<Channel> connect(
            String sandbox,
            int port,
            StandardProtocolFamily family,
            EventLoop loop,
            ChannelInitializer<NioSocketChannel> handlers) {
        return CompletableFuture.supplyAsync(() -> socket(sandbox, family), worker)
                .thenCompose(socket -> register(socket, loop, handlers))
                .thenCompose(channel -> connect(channel, new InetSocketAddress(localhost(family), port)));
    }

    /// A socket belongs to the network namespace in which it was made, whoever uses it later.
    private SocketChannel socket(String id, StandardProtocolFamily family) {
        Sandbox sandbox = sandboxes.get(id);
        if (sandbox.state() != SandboxState.READY) {
            throw new SandboxException.WrongState("pod sandbox %s does not run".formatted(id));
        }
        try {
            return sandbox.config().namespaces().hostNetwork()
                    ? SocketChannel.open(family)
                    : NetworkNamespaces.call(places.networkNamespace(sandbox.id()), () -> SocketChannel.open(family));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static CompletableFuture<Channel> register(
            SocketChannel socket, EventLoop loop, ChannelInitializer<NioSocketChannel> handlers) {
        CompletableFuture<Channel> registered = new CompletableFuture<>();
        NioSocketChannel channel = new NioSocketChannel(socket);
        channel.config().setOption(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS);
        channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        channel.config().setOption(ChannelOption.AUTO_READ, true);
        channel.pipeline().addLast(handlers);
        var _ = loop.register(channel).addListener(done -> {
            if (done.isSuccess()) {
                registered.complete(channel);
            } else {
                registered.completeExceptionally(done.cause());
            }
        });
        return registered;
    }

    private static CompletableFuture<Channel> connect(Channel channel, InetSocketAddress address) {
        CompletableFuture<Channel> connected = new CompletableFuture<>();
        var _ = channel.connect(address).addListener(done -> {
            if (done.isSuccess()) {
                connected.complete(channel);
            } else {
                var _ = channel.close();
                connected.completeExceptionally(done.cause());
            }
        });
        return connected;
    }

    private static InetAddress localhost(StandardProtocolFamily family) {
        byte[] address = family == StandardProtocolFamily.INET
                ? new byte[] {127, 0, 0, 1}
                : new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        try {
            return InetAddress.getByAddress(address);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
