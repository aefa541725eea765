package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.GantryGrpc;
import dev.gantry.cri.runtime.v1.ImageServiceGrpc;
import dev.gantry.cri.runtime.v1.RuntimeServiceGrpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// The way to one daemon: a gRPC channel over its Unix socket, and the three services behind it.
/// Calls block, give up after their deadline, and throw io.grpc.StatusRuntimeException, which
/// [CliException#of] turns into a sentence. Thread-safe.
final class Connection implements AutoCloseable {

    /// Where the daemon listens unless told otherwise.
    static final String DEFAULT_ADDRESS = "/run/gantry/gantry.sock";

    /// What the kubelet allows a call.
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    private static final int MAX_MESSAGE = 16 << 20;

    private final String address;
    private final EventLoopGroup loop;
    private final ManagedChannel channel;

    private Connection(String address, EventLoopGroup loop, ManagedChannel channel) {
        this.address = address;
        this.loop = loop;
        this.channel = channel;
    }

    /// Prepares the channel; the first call connects. The address is a path, `unix://` before it is
    /// allowed as crictl has it.
    static Connection to(String address) {
        Path socket = Path.of(address.startsWith("unix://") ? address.substring("unix://".length()) : address);
        if (!Files.exists(socket)) {
            throw new CliException.Unreachable(
                    "cannot reach the daemon at %s: no such socket; is gantryd running?".formatted(socket), null);
        }
        var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        UnixDomainSocketAddress.of(socket), InsecureChannelCredentials.create())
                .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
                .eventLoopGroup(loop)
                .directExecutor() // blocking stubs bring their own waiting thread
                .overrideAuthority("localhost")
                .maxInboundMessageSize(MAX_MESSAGE)
                .disableRetry()
                .build();
        return new Connection(socket.toString(), loop, channel);
    }

    /// Tells Netty, before its classes are there, to leave out what takes longer to set up than one
    /// call takes: pools of buffers, events, and a search for the hardware addresses of the node.
    static void preferAFastStart() {
        System.setProperty("io.netty.machineId", "00:00:00:00:00:00:00:01");
        System.setProperty("io.netty.processId", "1");
        System.setProperty("io.netty.allocator.type", "unpooled");
        System.setProperty("io.netty.noPreferDirect", "true");
        System.setProperty("io.netty.jfr.enabled", "false");
    }

    String address() {
        return address;
    }

    RuntimeServiceGrpc.RuntimeServiceBlockingStub runtime() {
        return runtime(DEADLINE);
    }

    RuntimeServiceGrpc.RuntimeServiceBlockingStub runtime(Duration deadline) {
        return RuntimeServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS);
    }

    ImageServiceGrpc.ImageServiceBlockingStub images() {
        return ImageServiceGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    }

    GantryGrpc.GantryBlockingStub gantry() {
        return GantryGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// For calls that take as long as they take: pulls, and commands run in containers.
    RuntimeServiceGrpc.RuntimeServiceBlockingStub runtimeWithoutDeadline() {
        return RuntimeServiceGrpc.newBlockingStub(channel);
    }

    GantryGrpc.GantryBlockingStub gantryWithoutDeadline() {
        return GantryGrpc.newBlockingStub(channel);
    }

    /// Tries again at the next call, instead of after a pause that grows with each failure.
    void retry() {
        channel.resetConnectBackoff();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
