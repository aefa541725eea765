package dev.gantry.runtime;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.cri.oci.Json;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Poller;
import dev.gantry.shim.Bundle;
import dev.gantry.shim.Exit;
import dev.gantry.shim.RuncOptions;
import dev.gantry.shim.Shim;
import dev.gantry.shim.ShimBinary;
import dev.gantry.shim.ShimException;
import dev.gantry.shim.Shims;
import dev.gantry.shim.StdioFifos;
import dev.gantry.shim.TaskEvents;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A shim with one container, whose streams are opened as the daemon does.
final class IoNode implements AutoCloseable {

    static final int SECONDS = 30;
    private static final Path BUSYBOX = Path.of("/bin/busybox");
    private static final String ID = "io-test-container";

    final Path log;
    final ContainerStreams streams;
    private final Path directory;
    private final Poller poller = new Poller();
    private final ExecutorService worker = Executors.newCachedThreadPool();
    private final ShimBinary binary;
    private final RuncOptions options;
    private final Shims shims;
    private final Bundle bundle;
    private final Container container;
    final Shim shim;
    final ContainerIo io;

    IoNode(Path shimBinary, ContainerConfig.Builder config, String... command) throws IOException {
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        assumeTrue(Files.isExecutable(Path.of("/usr/sbin/runc")), "runc is not installed");
        assumeTrue(Files.isExecutable(BUSYBOX), "busybox-static is not installed");
        assumeTrue(Files.isExecutable(shimBinary), "not there: " + shimBinary);
        directory = Files.createTempDirectory("gio");
        log = directory.resolve("logs/container.log");
        streams = new ContainerStreams(poller, 16384, worker, Clock.systemUTC());
        options = new RuncOptions(directory.resolve("runc"), Path.of("runc"), false);
        binary = new ShimBinary(shimBinary, Optional.of(options));
        shims = new Shims(directory, directory.resolve("events"), new Nobody(), poller);
        bundle = bundle(config.getTty(), command);
        container = TestContainers.created(ID, config.build(), log.toString());
        shim = shims.start(binary, bundle, ID, Optional.empty(), Duration.ofSeconds(SECONDS));
        io = streams.open(container, bundle, shim);
        shim.create(
                ID,
                bundle,
                List.of(new Mount("bind", root().toString(), Path.of(""), List.of("rbind", "ro"))),
                io.stdio(),
                options);
    }

    private Path root() throws IOException {
        Path root = directory.resolve("image");
        if (!Files.exists(root)) {
            for (String folder : List.of("bin", "dev", "proc")) {
                Files.createDirectories(root.resolve(folder));
            }
            Files.copy(BUSYBOX, root.resolve("bin/busybox"));
            for (String applet : List.of("sh", "sleep", "cat", "stty", "echo", "yes", "head", "seq")) {
                Files.createSymbolicLink(root.resolve("bin").resolve(applet), Path.of("busybox"));
            }
        }
        return root;
    }

    private Bundle bundle(boolean terminal, String... command) throws IOException {
        Bundle made =
                new Bundle(Files.createDirectories(directory.resolve("tasks").resolve(ID)));
        Files.createDirectories(made.rootfs());
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("ociVersion", "1.0.2");
        spec.put("process", process(terminal, command));
        spec.put("root", Map.of("path", "rootfs", "readonly", true));
        spec.put("mounts", List.of(mount("/proc", "proc"), mount("/dev", "tmpfs"), mount("/dev/pts", "devpts")));
        spec.put(
                "linux",
                Map.of(
                        "cgroupsPath",
                        "/gantry-" + directory.getFileName(),
                        "namespaces",
                        Stream.of("pid", "ipc", "uts", "mount")
                                .map(type -> Map.of("type", type))
                                .toList()));
        Files.write(made.config(), Json.write(spec));
        return made;
    }

    private static Map<String, Object> mount(String target, String type) {
        return Map.of("destination", target, "type", type, "source", type);
    }

    private static Map<String, Object> process(boolean terminal, String... command) {
        return Map.of(
                "terminal",
                terminal,
                "user",
                Map.of("uid", 0L, "gid", 0L),
                "args",
                List.of(command),
                "env",
                List.of("PATH=/bin"),
                "cwd",
                "/");
    }

    void start() {
        shim.start(ID);
    }

    Exit exit() throws Exception {
        return shim.wait(ID, Optional.empty()).get(SECONDS, TimeUnit.SECONDS);
    }

    /// The streams as a daemon that comes back opens them.
    ContainerIo reopened() {
        return streams.reopen(
                container, bundle, shim, shim.state(ID, Optional.empty()).stdio());
    }

    /// A command that waits for its start.
    ExecProcess exec(boolean stdin, String... command) {
        ProcessIo of = streams.exec(container, bundle, shim, "e", new StdioFifos.Streams(stdin, false));
        return ExecProcess.add(shim, ID, "e", Json.write(process(false, command)), of);
    }

    @Override
    public void close() throws IOException {
        io.close();
        try {
            shim.kill(ID, Optional.empty(), 9, true);
        } catch (ShimException.NotFound _) {
            // it has ended
        }
        shims.cleanup(binary, bundle, ID);
        shims.close();
        poller.close();
        worker.shutdownNow();
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private record Nobody() implements TaskEvents {
        @Override
        public void exited(String container, Optional<String> exec, int pid, Exit exit) {}

        @Override
        public void oom(String container) {}
    }
}
