package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.oci.Json;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Poller;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/// A daemon's worth of shims in a folder of its own, with a root file system that holds busybox, and cgroups
/// and a runc root of its own.
final class ShimNode {

    static final Duration LONG = Duration.ofSeconds(30);
    /// The first process of a container, where a call may name another.
    static final Optional<String> INIT = Optional.empty();
    /// A process that runs until it is killed.
    static final String[] SLEEP = {"/bin/sleep", "1000"};

    static final StdioFifos.Streams OUTPUT = new StdioFifos.Streams(false, false);

    final String name = "gantry-shim-test-"
            + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
    final ShimBinary binary;
    final RuncOptions options;
    final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final Path directory;
    private final Path image;
    private final Map<String, Container> containers = new LinkedHashMap<>();
    private Poller poller = new Poller();
    private Shims shims;

    ShimNode(Path shim) throws IOException {
        this(shim, Path.of("runc"));
    }

    ShimNode(Path shim, Path runc) throws IOException {
        directory = Files.createTempDirectory("gs");
        image = Files.createDirectories(directory.resolve("image"));
        for (String folder : List.of("bin", "dev", "proc", "tmp")) {
            Files.createDirectory(image.resolve(folder));
        }
        Files.copy(Path.of("/bin/busybox"), image.resolve("bin/busybox"));
        for (String applet : List.of("sh", "sleep", "cat", "stty", "echo")) {
            Files.createSymbolicLink(image.resolve("bin").resolve(applet), Path.of("busybox"));
        }
        options = new RuncOptions(directory.resolve("runc"), runc, false);
        binary = new ShimBinary(shim, Optional.of(options));
        shims = open();
    }

    private Shims open() {
        return new Shims(directory, directory.resolve("events"), new Recorder(), poller);
    }

    Shims shims() {
        return shims;
    }

    Path directory() {
        return directory;
    }

    /// The root of all containers.
    Path image() {
        return image;
    }

    /// What a daemon that is killed leaves: connections and FIFOs closed, shims alone.
    void crash() {
        shims.close();
        poller.close();
    }

    void comeBack() {
        poller = new Poller();
        shims = open();
    }

    /// A container whose shim is started, not yet created.
    Container container(String id, String pod, Optional<Shim> group, StdioFifos.Streams streams, String... arguments)
            throws IOException {
        Container container = prepare(id, pod, streams.terminal(), arguments);
        container.shim = shims.start(binary, container.bundle, id, group, LONG);
        container.openFifos(streams);
        return container;
    }

    /// A container whose streams are not FIFOs, if its shim knows better.
    Container withoutFifos(String id, Optional<Shim> group, boolean terminal, String... arguments) throws IOException {
        Container container = prepare(id, group.map(it -> "pod").orElse(id), terminal, arguments);
        container.shim = shims.start(binary, container.bundle, id, group, LONG);
        return container;
    }

    Container container(String id, String... arguments) throws IOException {
        return container(id, id, Optional.empty(), OUTPUT, arguments);
    }

    Container running(String id, String... arguments) throws IOException {
        Container container = container(id, arguments);
        container.create();
        container.start();
        return container;
    }

    Container prepare(String id, String pod, boolean terminal, String... arguments) throws IOException {
        Bundle bundle =
                new Bundle(Files.createDirectories(directory.resolve("tasks").resolve(id)));
        Files.createDirectories(bundle.rootfs());
        Files.write(bundle.config(), Json.write(spec(id, pod, terminal, arguments)));
        Container container = new Container(id, bundle);
        containers.put(id, container);
        return container;
    }

    private Map<String, Object> spec(String id, String pod, boolean terminal, String... arguments) {
        Map<String, Object> spec = new LinkedHashMap<>();
        spec.put("ociVersion", "1.0.2");
        spec.put("process", process(terminal, arguments));
        spec.put("root", Map.of("path", "rootfs", "readonly", true));
        spec.put("hostname", id);
        spec.put(
                "mounts",
                List.of(
                        mount("/proc", "proc", "proc"),
                        mount("/dev", "tmpfs", "tmpfs"), // runc adds the standard devices
                        mount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620")));
        spec.put("annotations", Map.of("io.kubernetes.cri.sandbox-id", pod));
        spec.put(
                "linux",
                Map.of(
                        "cgroupsPath",
                        "/" + name + "/" + id,
                        "namespaces",
                        Stream.of("pid", "ipc", "uts", "mount")
                                .map(type -> Map.of("type", type))
                                .toList(),
                        "resources",
                        Map.of("pids", Map.of("limit", 2000L))));
        return spec;
    }

    private static Map<String, Object> mount(String target, String type, String source, String... options) {
        return Map.of("destination", target, "type", type, "source", source, "options", List.of(options));
    }

    static Map<String, Object> process(boolean terminal, String... arguments) {
        Map<String, Object> process = new HashMap<>();
        process.put("terminal", terminal);
        process.put("user", Map.of("uid", 0L, "gid", 0L));
        process.put("args", List.of(arguments));
        process.put("env", List.of("PATH=/bin"));
        process.put("cwd", "/");
        return process;
    }

    /// One container and all there is to ask of it.
    @SuppressWarnings("NullAway.Init") // the node sets what is missing before a test sees it
    final class Container {

        final String id;
        final Bundle bundle;
        final Collector out = new Collector();
        final Collector err = new Collector();
        Shim shim;
        StdioFifos fifos;
        int pid;

        Container(String id, Bundle bundle) {
            this.id = id;
            this.bundle = bundle;
        }

        void openFifos(StdioFifos.Streams streams) {
            fifos = StdioFifos.create(poller, bundle.directory().resolve("io"), id, streams, out, err);
        }

        void reopenFifos(StdioFifos.Streams streams) {
            fifos = StdioFifos.reopen(poller, bundle.directory().resolve("io"), id, streams, out, err);
        }

        int create() {
            return create(fifos.stdio());
        }

        int create(Stdio stdio) {
            return create(stdio, new Mount("bind", image.toString(), Path.of(""), List.of("rbind", "ro")));
        }

        int create(Stdio stdio, Mount root) {
            pid = shim.create(id, bundle, List.of(root), stdio, options);
            return pid;
        }

        void start() {
            shim.start(id);
        }

        Exit await() throws Exception {
            return shim.wait(id, Optional.empty()).get(20, TimeUnit.SECONDS);
        }

        Exec exec(String exec, String... arguments) {
            Exec added = new Exec(this, exec);
            added.fifos = StdioFifos.create(
                    poller, bundle.directory().resolve("io"), id + "." + exec, OUTPUT, added.out, added.err);
            shim.exec(id, exec, Json.write(process(false, arguments)), added.fifos.stdio());
            return added;
        }

        /// Ends and removes the container in the orderly way.
        Exit remove() throws Exception {
            try {
                shim.kill(id, Optional.empty(), 9, true);
            } catch (ShimException.NotFound _) {
                // it has ended
            }
            await();
            Exit exit = shim.delete(id, Optional.empty());
            shim.shutdown(id);
            if (fifos != null) {
                fifos.delete();
            }
            containers.remove(id);
            return exit;
        }
    }

    /// A process in a container.
    @SuppressWarnings("NullAway.Init") // likewise
    static final class Exec {

        final String name;
        final Collector out = new Collector();
        final Collector err = new Collector();
        private final Container container;
        StdioFifos fifos;

        Exec(Container container, String name) {
            this.container = container;
            this.name = name;
        }

        Exit run() throws Exception {
            var exit = container.shim.wait(container.id, Optional.of(name));
            container.shim.startExec(container.id, name);
            exit.get(20, TimeUnit.SECONDS);
            fifos.drained().get(10, TimeUnit.SECONDS);
            return delete();
        }

        Exit delete() {
            Exit exit = container.shim.delete(container.id, Optional.of(name));
            fifos.delete();
            return exit;
        }
    }

    /// Takes what a process writes.
    static final class Collector implements Poller.Input {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private boolean ended;

        @Override
        public synchronized void data(ByteBuffer data) {
            byte[] copy = new byte[data.remaining()];
            data.get(copy);
            bytes.writeBytes(copy);
            notifyAll();
        }

        @Override
        public synchronized void end() {
            ended = true;
            notifyAll();
        }

        synchronized String text() {
            return bytes.toString(StandardCharsets.UTF_8);
        }

        /// Waits until the text holds this.
        synchronized String await(String wanted) throws InterruptedException {
            long end = System.nanoTime() + LONG.toNanos();
            while (!text().contains(wanted) && !ended && System.nanoTime() < end) {
                wait(100);
            }
            return text();
        }
    }

    private final class Recorder implements TaskEvents {

        @Override
        public void exited(String container, Optional<String> exec, int pid, Exit exit) {
            events.add("exit %s %s %d".formatted(container, exec.orElse("-"), exit.status()));
        }

        @Override
        public void oom(String container) {
            events.add("oom " + container);
        }
    }

    /// Waits until something is so.
    static void await(BooleanSupplier fact) throws InterruptedException {
        long end = System.nanoTime() + LONG.toNanos();
        while (!fact.getAsBoolean() && System.nanoTime() < end) {
            Thread.sleep(10);
        }
        assertThat(fact.getAsBoolean()).isTrue();
    }

    static boolean isRunning(int pid) {
        try {
            return !Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
        } catch (IOException e) {
            return false;
        }
    }

    static List<String> mounts() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo"));
    }

    /// Removes the bundle of a container that was removed.
    void forget(Container container) throws IOException {
        try (Stream<Path> tree = Files.walk(container.bundle.directory())) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /// Ends whatever is left, however the test ended.
    void end() throws Exception {
        for (Container container : new ArrayList<>(containers.values())) {
            try {
                container.remove();
            } catch (RuntimeException | ExecutionException e) {
                shims.cleanup(binary, container.bundle, container.id);
            }
        }
        crash();
        removeCgroups();
        try (Stream<Path> tree = Files.walk(directory)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /// All cgroups that carry this node's name, deepest first.
    List<Path> cgroups() throws IOException {
        List<Path> found = new ArrayList<>();
        try (Stream<Path> hierarchies = Files.list(Path.of("/sys/fs/cgroup"))) {
            for (Path root : Stream.concat(Stream.of(Path.of("/sys/fs/cgroup")), hierarchies)
                    .map(hierarchy -> hierarchy.resolve(name))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> tree = Files.walk(root)) {
                    tree.filter(Files::isDirectory).forEach(found::add);
                }
            }
        }
        return found.stream().sorted(Comparator.reverseOrder()).toList();
    }

    private void removeCgroups() throws IOException {
        for (Path cgroup : cgroups()) {
            Files.delete(cgroup);
        }
    }
}
