package dev.gantry.daemon;

import io.grpc.BindableService;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The gRPC server on the daemon's Unix socket.
///
/// One thread does the input and output and must never wait. Calls that only look something up answer from memory on
/// that thread: a hand-over to another one would cost more than most of them, and a node full of slow calls answers
/// `Version` and lists at once. All others run on a pool.
final class CallServer {

    /// Per connection. HTTP/2 makes clients wait beyond it, so this bounds what they can queue here.
    private static final int MAX_STREAMS = 1000;

    private static final String CALL_THREAD = "call";

    /// How many calls may wait for each one that is worked on.
    private static final int WAITING = 16;

    private final Configuration.Grpc options;
    private final CallThreads calls;
    private final CallInterceptor interceptor;
    private final AtomicInteger unfinished = new AtomicInteger();
    private final EventLoopGroup io =
            new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("grpc-io", true), NioIoHandler.newFactory());
    private final SocketFile socket;
    private final Server server;

    private CallServer(
            Configuration.Grpc options, List<BindableService> services, Function<Throwable, Status> statuses) {
        this.options = options;
        this.calls = new CallThreads(CALL_THREAD, options.maxCalls());
        this.interceptor = new CallInterceptor(statuses, this::isTooMany);
        this.socket = SocketFile.reserve(options.address());
        NettyServerBuilder builder = NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(socket.nursling()))
                .channelType(NioServerDomainSocketChannel.class)
                .bossEventLoopGroup(io)
                .workerEventLoopGroup(io)
                .directExecutor()
                .callExecutor(new ByMethod())
                .maxInboundMessageSize(options.maxMessageSize())
                .maxConcurrentCallsPerConnection(MAX_STREAMS)
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .addStreamTracerFactory(new Unfinished())
                .intercept(interceptor);
        services.forEach(builder::addService);
        this.server = builder.build();
    }

    /// Serves from the moment of the return. An rpc that no service has answers UNIMPLEMENTED.
    ///
    /// @param statuses what an exception means that leaves a service
    static CallServer start(
            Configuration.Grpc options, List<BindableService> services, Function<Throwable, Status> statuses) {
        CallServer server = new CallServer(options, services, statuses);
        try {
            server.server.start();
            server.socket.publish(options.mode(), options.uid(), options.gid());
            return server;
        } catch (IOException e) {
            server.abandon();
            throw new DaemonException.CannotListen("cannot listen on " + options.address() + ": " + e.getCause(), e);
        } catch (DaemonException e) {
            server.abandon();
            throw e;
        }
    }

    CallInterceptor interceptor() {
        return interceptor;
    }

    /// Takes no more calls and lets those that run finish; what has not finished in time is cancelled.
    /// True if nothing had to be.
    boolean stop(Duration drain) throws InterruptedException {
        socket.remove();
        server.shutdown();
        boolean drained = server.awaitTermination(drain.toMillis(), TimeUnit.MILLISECONDS);
        if (!drained) {
            server.shutdownNow();
            server.awaitTermination(2, TimeUnit.SECONDS);
        }
        close();
        return drained;
    }

    private void abandon() {
        server.shutdownNow();
        socket.abandon();
        close();
    }

    private void close() {
        io.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        calls.shutdownNow();
    }

    /// A call that does work and was left to the thread of the input, because too many wait already: see [ByMethod].
    private boolean isTooMany(String method) {
        return !isLookup(method) && !Thread.currentThread().getName().startsWith(CALL_THREAD);
    }

    /// Whether a method answers from memory: of CRI's that is Version, Status, RuntimeConfig, `List…` and `…Status`.
    /// The verbose ones read a small file or two of the node's.
    static boolean isLookup(String fullMethod) {
        String method = fullMethod.substring(fullMethod.lastIndexOf('/') + 1);
        return switch (method) {
            case "Version", "Info", "RuntimeConfig" -> true;
            case "ListContainerStats", "ListPodSandboxStats", "ListPodSandboxMetrics" -> false;
            default -> fullMethod.startsWith("runtime.v1.") && (method.startsWith("List") || method.endsWith("Status"));
        };
    }

    private final class ByMethod implements ServerCallExecutorSupplier {

        @Override
        public <Q, A> @Nullable Executor getExecutor(ServerCall<Q, A> call, Metadata headers) {
            boolean full = unfinished.get() > (1 + WAITING) * options.maxCalls();
            boolean here = full || isLookup(call.getMethodDescriptor().getFullMethodName());
            return here ? null : calls; // null: as all begin, without a hand-over
        }
    }

    /// Counts the calls that do work, from their first byte until nothing of them is left.
    private final class Unfinished extends ServerStreamTracer.Factory {

        @Override
        public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
            if (isLookup(method)) {
                return new ServerStreamTracer() {};
            }
            unfinished.incrementAndGet();
            return new ServerStreamTracer() {
                @Override
                public void streamClosed(Status status) {
                    unfinished.decrementAndGet();
                }
            };
        }
    }
}
