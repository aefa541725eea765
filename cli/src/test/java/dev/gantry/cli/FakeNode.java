package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.GantryGrpc;
import dev.gantry.cri.gantry.v1.InfoResponse;
import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.RuntimeCondition;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/// A daemon in memory, served over a real Unix socket: what the commands see of it is what gantryd
/// answers. Containers are [Program]s, found by the name of their image; they write real log files.
/// Every call is recorded in `calls`, and a call can be made to fail.
final class FakeNode implements AutoCloseable {

    /// What runs in a container. It is interrupted when the grace period after `stop` is over.
    interface Program {
        int run(FakeContainer self) throws InterruptedException;
    }

    final Path directory;
    final List<String> calls = new CopyOnWriteArrayList<>();
    final Map<String, Program> programs = new ConcurrentHashMap<>();
    final Map<String, Image> images = new ConcurrentHashMap<>();
    final Map<String, Image> registry = new ConcurrentHashMap<>();
    final Map<String, Status> failures = new ConcurrentHashMap<>();
    final List<RuntimeCondition> conditions = new CopyOnWriteArrayList<>();
    final FakeRuntime runtime;
    final FakeImages imageService;

    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Server server;

    FakeNode(Path directory) {
        this.directory = directory;
        runtime = new FakeRuntime(this);
        imageService = new FakeImages(this);
        conditions.add(condition("RuntimeReady", true, ""));
        conditions.add(condition("NetworkReady", true, ""));
        try {
            server = NettyServerBuilder.forAddress(
                            UnixDomainSocketAddress.of(socket()), InsecureServerCredentials.create())
                    .channelType(NioServerDomainSocketChannel.class)
                    .bossEventLoopGroup(loop)
                    .workerEventLoopGroup(loop)
                    .executor(threads)
                    .addService(runtime)
                    .addService(imageService)
                    .addService(gantry())
                    .build()
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot serve " + socket(), e);
        }
    }

    private GantryGrpc.GantryImplBase gantry() {
        return new FakeGantry(this);
    }

    Path socket() {
        return directory.resolve("gantry.sock");
    }

    Path root() {
        return directory.resolve("root");
    }

    static RuntimeCondition condition(String type, boolean holds, String reason) {
        return RuntimeCondition.newBuilder()
                .setType(type)
                .setStatus(holds)
                .setReason(reason)
                .build();
    }

    static Image image(String name, String id) {
        return Image.newBuilder()
                .setId("sha256:" + id.repeat(64 / id.length()))
                .addRepoTags(name)
                .setSize(12_345_678)
                .build();
    }

    /// An image that is on the node, and the program that it runs.
    FakeNode with(String image, String id, Program program) {
        images.put(image, image(image, id));
        programs.put(image, program);
        return this;
    }

    /// Records a call, and throws if it was told to fail.
    void called(String call, String subject) {
        calls.add(subject.isEmpty() ? call : call + " " + subject);
        Status failure = failures.get(call);
        if (failure == null) {
            failure = failures.get(call + " " + subject);
        }
        if (failure != null) {
            throw failure.asRuntimeException();
        }
    }

    /// The calls of these names, in order.
    List<String> calls(String... names) {
        var wanted = List.of(names);
        return new ArrayList<>(calls)
                .stream().filter(call -> wanted.contains(call.split(" ", 2)[0])).toList();
    }

    InfoResponse info() {
        return InfoResponse.newBuilder()
                .setVersion("0.1.0")
                .setPid(ProcessHandle.current().pid())
                .setRoot(root().toString())
                .setState(directory.resolve("state").toString())
                .setAddress(socket().toString())
                .setCgroupDriver("cgroupfs")
                .setCgroupVersion(1)
                .setDefaultHandler("runc")
                .setSnapshotter("overlayfs")
                .build();
    }

    void start(Runnable work) {
        threads.execute(work);
    }

    @Override
    public void close() {
        runtime.killAll();
        server.shutdownNow();
        var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        threads.shutdownNow();
    }
}
