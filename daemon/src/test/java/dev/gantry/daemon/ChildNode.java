package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/// A `gantryd` of the distribution in a folder of its own, started as a child, and so killable.
///
/// Root, state, socket, bridge, addresses and cgroups are its own: nodes run side by side. Closing it removes all pods
/// and fails if the node leaves anything behind. For one thread.
final class ChildNode implements AutoCloseable {

    /// Generous: the machine may be busy with other things.
    static final Duration PATIENCE = Duration.ofSeconds(60);

    /// Shims of removed pods end on their own.
    private static final Duration SETTLING = Duration.ofSeconds(15);

    private static final int LOG_LINES = 40;
    private static final HexFormat HEX = HexFormat.of();

    private final Path directory;
    private final String name;
    private final String subnet;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private final Set<Path> imageLayers = new HashSet<>();
    private @Nullable Process daemon;
    private @Nullable CriClient client;

    private ChildNode(Path directory, String name, String subnet) {
        this.directory = directory;
        this.name = name;
        this.subnet = subnet;
    }

    /// A node that is not started yet.
    static ChildNode create() throws IOException {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String id = HEX.toHexDigits(random.nextLong(), 6);
        // Not a folder of JUnit: shims refuse long paths for their sockets.
        Path directory = Files.createDirectory(Path.of("/tmp", "gn-" + id));
        // Above those that hack/node takes.
        String subnet = "10.%d.%d".formatted(random.nextInt(192, 250), random.nextInt(256));
        ChildNode node = new ChildNode(directory, "gn" + id, subnet);
        TestImages.make(directory.resolve("images"));
        Files.createDirectories(directory.resolve("certs.d"));
        node.set("images.builtin", quoted(directory.resolve("images")));
        node.set("images.registry_config", "[" + quoted(directory.resolve("certs.d")) + "]");
        node.set("cni.conf_dir", quoted(directory.resolve("net.d")));
        node.set("runtime.cgroup_parent", quoted(Path.of(node.cgroup())));
        node.network(node.bridgeNetwork());
        return node;
    }

    static ChildNode started() throws IOException {
        return create().start();
    }

    /// Where the default configuration looks for network plugins.
    static List<Path> pluginFolders() {
        return List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni"));
    }

    static String quoted(Path path) {
        return "\"" + path + "\"";
    }

    /// For the next start, as `gantryd --set` takes it.
    ChildNode set(String key, String value) {
        settings.put(key, value);
        return this;
    }

    /// Replaces the network configuration.
    ChildNode network(String conflist) throws IOException {
        Path folder = Files.createDirectories(directory.resolve("net.d"));
        Path next = Files.writeString(directory.resolve("net.new"), conflist);
        Files.move(next, folder.resolve("10-test.conflist"), StandardCopyOption.REPLACE_EXISTING);
        return this;
    }

    /// The usual network: a bridge of its own, with port mappings.
    String bridgeNetwork() {
        return """
               {"cniVersion": "1.0.0", "name": "%s", "plugins": [
                 {"type": "bridge", "bridge": "%s", "isGateway": true, "ipMasq": true, "hairpinMode": true,
                  "ipam": {"type": "host-local", "dataDir": "%s", "ranges": [[{"subnet": "%s.0/24"}]],
                           "routes": [{"dst": "0.0.0.0/0"}]}},
                 {"type": "portmap", "capabilities": {"portMappings": true}}]}
               """.formatted(name, name, directory.resolve("ipam"), subnet);
    }

    Path directory() {
        return directory;
    }

    /// The first three numbers of its pods' addresses.
    String subnet() {
        return subnet;
    }

    Path networkConfiguration() {
        return directory.resolve("net.d/10-test.conflist");
    }

    Path root() {
        return directory.resolve("root");
    }

    Path state() {
        return directory.resolve("state");
    }

    /// The cgroup below which its pods are.
    String cgroup() {
        return "/" + name;
    }

    /// The end of the daemon's log.
    String log() {
        List<String> lines = proc(directory.resolve("gantryd.log")).lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }

    /// Serves when this returns.
    ChildNode start() {
        Path socket = state().resolve("gantry.sock");
        Process started = launch();
        daemon = started;
        await("gantryd serves")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    assertThat(started.isAlive()).as(this::log).isTrue();
                    return Files.exists(socket) && answers(socket);
                });
        client = new CriClient(socket);
        if (imageLayers.isEmpty()) {
            imageLayers.addAll(leftovers().layers());
        }
        return this;
    }

    /// A socket that a killed daemon left does not answer.
    private static boolean answers(Path socket) {
        try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            return channel.isConnected();
        } catch (IOException _) {
            return false;
        }
    }

    /// A daemon on this node's directories, whether one runs there already or not.
    Process launch() {
        List<String> command = new ArrayList<>(List.of(
                DistributionRequired.DISTRIBUTION.resolve("bin/gantryd").toString(),
                "--config",
                "/dev/null",
                "--root",
                root().toString(),
                "--state",
                state().toString()));
        settings.forEach((key, value) -> command.addAll(List.of("--set", key + "=" + value)));
        File log = directory.resolve("gantryd.log").toFile();
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log));
            builder.environment().remove("GANTRYD_JAVA_OPTS");
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Ends the daemon by SIGTERM.
    void stop() {
        end(false);
    }

    /// Ends the daemon by SIGKILL.
    void kill() {
        end(true);
    }

    private void end(boolean force) {
        Process process = daemon;
        if (process != null) {
            var _ = force ? process.destroyForcibly() : destroyed(process);
            await("gantryd ends").atMost(PATIENCE).until(() -> !process.isAlive());
            daemon = null;
        }
        CriClient ended = client;
        if (ended != null) {
            ended.close();
            client = null;
        }
    }

    private static Process destroyed(Process process) {
        process.destroy();
        return process;
    }

    CriClient client() {
        CriClient present = client;
        if (present == null) {
            throw new IllegalStateException("the node is not started");
        }
        return present;
    }

    /// Of the daemon.
    long pid() {
        Process running = daemon;
        if (running == null) {
            throw new IllegalStateException("the node is not started");
        }
        return running.pid();
    }

    TestCalls calls() {
        return new TestCalls(this);
    }

    /// Processes whose arguments name a file of this node, or that are in one of its cgroups; not the daemon.
    List<ProcessHandle> processes() {
        Process own = daemon;
        return ProcessHandle.allProcesses()
                .filter(it -> own == null || it.pid() != own.pid())
                .filter(it -> belongs(it.pid()))
                .toList();
    }

    private boolean belongs(long pid) {
        Path process = Path.of("/proc", Long.toString(pid));
        return Files.exists(process.resolve("exe"))
                && (proc(process.resolve("cmdline")).contains(directory + "/")
                        || proc(process.resolve("cgroup")).contains(":" + cgroup() + "/"));
    }

    /// Empty if the process has ended.
    static String proc(Path file) {
        try {
            return new String(Files.readAllBytes(file), UTF_8);
        } catch (IOException _) {
            return "";
        }
    }

    private Leftovers leftovers() {
        return new Leftovers(directory, name, subnet);
    }

    List<String> left() {
        return leftovers().of(processes(), imageLayers);
    }

    /// Removes all pods; nothing that belongs to one may be there afterwards.
    void removePods() {
        calls().removeAll();
        await("nothing is left")
                .atMost(SETTLING)
                .untilAsserted(() -> assertThat(left()).as(this::log).isEmpty());
    }

    @Override
    public void close() throws IOException {
        try {
            if (daemon == null) {
                start();
            }
            removePods();
        } finally {
            end(false);
            processes().forEach(ProcessHandle::destroyForcibly);
            leftovers().clear();
        }
    }
}
