package dev.gantry.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.gantry.linux.HostFacts;
import dev.gantry.linux.NetworkNamespaces;
import dev.gantry.linux.Spawn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// bridge, host-local and portmap, as distributions and the CNI project ship them.
///
/// The node is a network namespace of the test's own, so that bridges and packet filter rules never
/// touch the machine's and end with it. Plugins run in the namespace of the thread that starts them.
@Timeout(120)
class RealPluginsIT {

    private static final Path DEBIAN = Path.of("/usr/lib/cni");
    private static final String UPSTREAM = "GANTRY_CNI_PLUGINS";

    @TempDir
    private Path directory;

    private final MemoryJournal journal = new MemoryJournal();
    private Path node = Path.of("");
    private Path pod = Path.of("");

    @BeforeEach
    void makeNamespaces() {
        if (!HostFacts.hasCapability(HostFacts.CAP_SYS_ADMIN)) {
            skip("needs root (CAP_SYS_ADMIN)");
        }
        node = directory.resolve("node");
        pod = directory.resolve("pod");
        NetworkNamespaces.create(node);
        NetworkNamespaces.create(pod);
    }

    @AfterEach
    void removeNamespaces() {
        if (HostFacts.hasCapability(HostFacts.CAP_SYS_ADMIN)) {
            NetworkNamespaces.remove(pod);
            NetworkNamespaces.remove(node);
        }
    }

    @Test
    void debiansPluginsAttachAndDetach() throws Exception {
        if (!Files.isExecutable(DEBIAN.resolve("bridge"))) {
            skip("needs the package containernetworking-plugins");
        }
        for (String version : List.of("0.3.1", "0.4.0", "1.0.0")) {
            configure(version);
            attachAndDetach(DEBIAN, false);
        }
    }

    @Test
    void upstreamPluginsAttachAndDetachAndTellTheirStatus() throws Exception {
        Path upstream = upstream();
        configure("1.1.0");

        attachAndDetach(upstream, true);

        NetworkReadiness status =
                NetworkNamespaces.call(node, () -> networks(upstream).status());
        assertThat(status).isEqualTo(NetworkReadiness.yes());
    }

    @Test
    void oldPluginsRefuseAVersionTheyDoNotKnowByName() throws Exception {
        if (!Files.isExecutable(DEBIAN.resolve("bridge"))) {
            skip("needs the package containernetworking-plugins");
        }
        configure("1.1.0");
        PodNetworks networks = networks(DEBIAN);
        boolean speaks = new PluginRunner(List.of(DEBIAN), limit(), limit()).supports("bridge", CniVersion.V1_1_0);
        if (speaks) {
            skip("the plugins in " + DEBIAN + " speak 1.1.0");
        }

        assertThatThrownBy(() -> NetworkNamespaces.call(node, () -> networks.attach(attachment("c1"))))
                .isInstanceOfSatisfying(
                        CniException.PluginFailed.class,
                        e -> assertThat(e.code()).isEqualTo(1))
                .hasMessageContaining("plugin bridge failed with code 1: incompatible CNI versions");
    }

    @Test
    void detachesAfterTheNamespaceWentAndWithoutAResult() throws Exception {
        Path plugins = Files.isExecutable(DEBIAN.resolve("bridge")) ? DEBIAN : upstream();
        configure("1.0.0");
        PodNetworks networks = networks(plugins);
        NetworkNamespaces.call(node, () -> networks.attach(attachment("c1")));
        SavedAttachment attached = journal.find("c1").orElseThrow();
        // As a daemon finds it that was killed in the middle of ADD.
        journal.save(new SavedAttachment(
                "c1",
                attached.ifName(),
                attached.netns(),
                attached.configList(),
                attached.args(),
                attached.capabilities(),
                Optional.empty(),
                SavedAttachment.State.INTENDED));
        NetworkNamespaces.remove(pod);

        NetworkNamespaces.call(node, () -> {
            networks.detach("c1", false);
            return true;
        });

        assertThat(reservations()).isEmpty();
        assertThat(rules()).doesNotContain("18080");
        assertThat(journal.all()).isEmpty();
    }

    /// @param check whether its portmap can be asked to CHECK: the one of 1.1.1 looks for the rules of a
    ///     container that has an IPv4 address alone among those of IPv6 as well, and fails
    private void attachAndDetach(Path plugins, boolean check) throws Exception {
        PodNetworks networks = networks(plugins);

        long start = System.nanoTime();
        NetworkResult result = NetworkNamespaces.call(node, () -> networks.attach(attachment("c1")));
        long attached = System.nanoTime();

        String address = result.ips().getFirst().address();
        assertThat(address).startsWith("10.213.7.");
        assertThat(addressesIn(pod)).contains(address).contains("eth0");
        assertThat(rules()).contains("18080").contains(address + ":80");
        assertThat(reservations()).containsExactly(address);
        NetworkNamespaces.call(node, () -> {
            if (check) {
                networks.check("c1");
            }
            networks.detach("c1", false);
            networks.detach("c1", false);
            return true;
        });
        System.err.printf(
                "%s: ADD %d ms, the rest %d ms%n",
                plugins, (attached - start) / 1_000_000, (System.nanoTime() - attached) / 1_000_000);

        assertThat(addressesIn(pod)).doesNotContain("eth0");
        assertThat(rules()).doesNotContain("18080").doesNotContain(address + "/32");
        assertThat(reservations()).isEmpty();
        assertThat(journal.all()).isEmpty();
    }

    private void configure(String version) throws Exception {
        Path folder = Files.createDirectories(directory.resolve("net.d"));
        Files.writeString(folder.resolve("10-test.conflist"), """
                {"cniVersion": "%s", "name": "gantry-it", "plugins": [
                  {"type": "bridge", "bridge": "gnit0", "isGateway": true, "ipMasq": true,
                   "ipam": {"type": "host-local", "dataDir": "%s",
                            "ranges": [[{"subnet": "10.213.7.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
                  {"type": "portmap", "capabilities": {"portMappings": true}}]}
                """.formatted(version, directory.resolve("ipam")));
    }

    private PodNetworks networks(Path plugins) {
        return new PodNetworks(
                new NetworkConfigs(directory.resolve("net.d")),
                new PluginRunner(List.of(plugins), limit(), limit()),
                journal);
    }

    private Attachment attachment(String id) {
        Capabilities wishes = new Capabilities(
                List.of(new Capabilities.PortMapping(18080, 80, "tcp", "")),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Map.of());
        return new Attachment(id, pod, "eth0", Map.of("K8S_POD_NAMESPACE", "default", "K8S_POD_NAME", "web"), wishes);
    }

    private static Path upstream() {
        String folder = Optional.ofNullable(System.getProperty(UPSTREAM))
                .or(() -> Optional.ofNullable(System.getenv(UPSTREAM)))
                .orElse("");
        if (folder.isEmpty()) {
            skip("needs " + UPSTREAM + ", the folder that `hack/tool cni-plugins` prints");
        }
        return Path.of(folder);
    }

    private static void skip(String reason) {
        System.err.println("skipped: " + reason);
        abort(reason);
    }

    private static Duration limit() {
        return Duration.ofSeconds(30);
    }

    private List<String> reservations() throws Exception {
        try (Stream<Path> files = Files.list(directory.resolve("ipam/gantry-it"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("10."))
                    .toList();
        }
    }

    private String rules() {
        return NetworkNamespaces.call(
                node,
                () -> Spawn.run(Spawn.command("iptables-save", "-t", "nat"), limit())
                        .outputText());
    }

    private static String addressesIn(Path namespace) {
        return NetworkNamespaces.call(
                namespace,
                () -> Spawn.run(Spawn.command("ip", "-o", "-4", "addr"), limit())
                        .outputText());
    }
}
