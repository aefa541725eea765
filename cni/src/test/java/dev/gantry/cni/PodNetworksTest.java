package dev.gantry.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Against plugins that are real programs and misbehave as told; each writes down how it was called.
@Timeout(60)
class PodNetworksTest {

    private static final String RESULT =
            "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\"}],"
                    + "\"ips\":[{\"address\":\"10.9.8.7/24\",\"interface\":0}]}";

    @TempDir
    private Path directory;

    private final MemoryJournal journal = new MemoryJournal();
    private Path netns = Path.of("");

    @BeforeEach
    void makeFolders() throws Exception {
        Files.createDirectories(directory.resolve("bin"));
        Files.createDirectories(directory.resolve("net.d"));
        netns = Files.writeString(directory.resolve("netns"), "");
        plugin("good", "printf '%s' '" + RESULT + "'");
        plugin("second", "printf '%s' '" + RESULT.replace("10.9.8.7", "10.9.8.6") + "'");
    }

    @Test
    void attachesThroughTheChainAndDetachesInReverse() throws Exception {
        network("1.0.0", "good", "second");
        PodNetworks networks = networks(Duration.ofSeconds(20));

        NetworkResult result = networks.attach(attachment("c1"));
        networks.check("c1");
        networks.detach("c1", false);
        networks.detach("c1", false);

        assertThat(result.ips()).extracting(NetworkResult.Ip::address).containsExactly("10.9.8.6");
        assertThat(calls())
                .containsExactly(
                        "ADD good c1 netns",
                        "ADD second c1 netns",
                        "CHECK good c1 netns",
                        "CHECK second c1 netns",
                        "DEL second c1 netns",
                        "DEL good c1 netns");
        assertThat(input("ADD", "good")).doesNotContain("prevResult").contains("\"name\":\"pods\"");
        assertThat(input("ADD", "second")).contains("\"prevResult\"").contains("10.9.8.7");
        assertThat(input("DEL", "good")).contains("\"prevResult\"").contains("10.9.8.6");
        assertThat(Files.readString(directory.resolve("args"))).startsWith("IgnoreUnknown=1;K8S_POD_NAME=web");
        assertThat(journal.all()).isEmpty();
    }

    @Test
    void journalsTheIntentBeforeTheFirstPluginRuns() throws Exception {
        plugin("good", "test -e " + directory.resolve("journalled") + " || exit 9; printf '%s' '" + RESULT + "'");
        network("1.0.0", "good");
        NetworkJournal watching = new NetworkJournal() {
            @Override
            public void save(SavedAttachment attachment) {
                journal.save(attachment);
                try {
                    Files.writeString(directory.resolve("journalled"), attachment.state() + "\n");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void forget(String containerId) {
                journal.forget(containerId);
            }

            @Override
            public Optional<SavedAttachment> find(String containerId) {
                return journal.find(containerId);
            }

            @Override
            public Collection<SavedAttachment> all() {
                return journal.all();
            }
        };

        new PodNetworks(configs(), runner(Duration.ofSeconds(20)), watching).attach(attachment("c1"));

        assertThat(journal.find("c1"))
                .get()
                .extracting(SavedAttachment::state)
                .isEqualTo(SavedAttachment.State.ATTACHED);
    }

    @Test
    void undoesAFailedAddAndPassesThePluginsErrorOn() throws Exception {
        plugin(
                "bad",
                "test $CNI_COMMAND = DEL && exit 0; echo '{\"code\": 107, \"msg\": \"no address\", \"details\": \"pool"
                        + " full\"}'; exit 1");
        network("1.0.0", "good", "bad", "second");

        assertThatThrownBy(() -> networks(Duration.ofSeconds(20)).attach(attachment("c1")))
                .isInstanceOfSatisfying(CniException.PluginFailed.class, e -> {
                    assertThat(e.code()).isEqualTo(107);
                    assertThat(e.plugin()).isEqualTo("bad");
                    assertThat(e.reason()).isEqualTo("no address");
                    assertThat(e.details()).isEqualTo("pool full");
                })
                .hasMessage("cannot add container c1 to network pods: plugin bad failed with code 107: no address (pool"
                        + " full)");

        assertThat(calls())
                .containsExactly(
                        "ADD good c1 netns",
                        "ADD bad c1 netns",
                        "DEL second c1 netns",
                        "DEL bad c1 netns",
                        "DEL good c1 netns");
        assertThat(journal.all()).isEmpty();
    }

    @Test
    void detachesByWhatWasSavedWhateverIsConfiguredNow() throws Exception {
        network("1.0.0", "good");
        PodNetworks networks = networks(Duration.ofSeconds(20));
        networks.attach(attachment("c1"));

        Files.delete(directory.resolve("net.d/10.conflist"));
        networks.detach("c1", true);

        assertThat(calls()).containsExactly("ADD good c1 netns", "DEL good c1 ");
    }

    @Test
    void givesNoNamespaceToPluginsWhenItsFileIsGone() throws Exception {
        network("1.0.0", "good");
        PodNetworks networks = networks(Duration.ofSeconds(20));
        networks.attach(attachment("c1"));

        Files.delete(netns);
        networks.detach("c1", false);

        assertThat(calls()).last().isEqualTo("DEL good c1 ");
    }

    @Test
    void goesOnDetachingWhenPluginsFailAndKeepsTheAttachmentForAnotherTry() throws Exception {
        plugin(
                "bad",
                "if test $CNI_COMMAND = DEL && ! test -e " + directory.resolve("mended")
                        + "; then echo oops >&2; exit 3; fi; printf '%s' '" + RESULT + "'");
        plugin(
                "worse",
                "if test $CNI_COMMAND = DEL && ! test -e " + directory.resolve("mended")
                        + "; then sleep 60; fi; printf '%s' '" + RESULT + "'");
        network("1.0.0", "good", "bad", "worse");
        PodNetworks networks = networks(Duration.ofSeconds(3));
        networks.attach(attachment("c1"));

        assertThatThrownBy(() -> networks.detach("c1", false))
                .isInstanceOf(CniException.TimedOut.class)
                .satisfies(e -> assertThat(e.getSuppressed())
                        .singleElement()
                        .asInstanceOf(InstanceOfAssertFactories.THROWABLE)
                        .hasMessageEndingWith("plugin bad failed: exit code 3: oops"));
        assertThat(calls()).last().isEqualTo("DEL good c1 netns");
        assertThat(journal.find("c1")).isPresent();

        Files.writeString(directory.resolve("mended"), "");
        networks.detach("c1", false);
        assertThat(journal.all()).isEmpty();
    }

    @Test
    void killsAPluginThatHangsAndUndoes() throws Exception {
        plugin("hangs", "test $CNI_COMMAND = DEL || sleep 60");
        network("1.0.0", "good", "hangs");
        PluginRunner runner =
                new PluginRunner(List.of(directory.resolve("bin")), Duration.ofSeconds(1), Duration.ofSeconds(20));

        assertThatThrownBy(() -> new PodNetworks(configs(), runner, journal).attach(attachment("c1")))
                .isInstanceOf(CniException.TimedOut.class)
                .hasMessageContaining("plugin hangs did not end within");

        assertThat(calls()).last().isEqualTo("DEL good c1 netns");
        assertThat(journal.all()).isEmpty();
    }

    @Test
    void refusesGarbageAsAResult() throws Exception {
        plugin("garbage", "echo 'All right!'");
        network("1.0.0", "garbage");

        assertThatThrownBy(() -> networks(Duration.ofSeconds(20)).attach(attachment("c1")))
                .isInstanceOf(CniException.PluginFailed.class)
                .hasMessageContaining("plugin garbage failed: bad result");
        assertThat(journal.all()).isEmpty();
    }

    @Test
    void triesAgainWhenToldTo() throws Exception {
        plugin(
                "busy",
                "if test -e " + directory.resolve("tried") + "; then printf '%s' '" + RESULT + "'; else touch "
                        + directory.resolve("tried")
                        + "; echo '{\"code\": 11, \"msg\": \"try again later\"}'; exit 1; fi");
        network("1.0.0", "busy");

        networks(Duration.ofSeconds(20)).attach(attachment("c1"));

        assertThat(calls()).containsExactly("ADD busy c1 netns", "ADD busy c1 netns");
    }

    @Test
    void detachesToTheEndWhenTheCallerIsInterrupted() throws Exception {
        plugin("slow", "test $CNI_COMMAND = DEL && sleep 1; printf '%s' '" + RESULT + "'");
        network("1.0.0", "good", "slow");
        PodNetworks networks = networks(Duration.ofSeconds(20));
        networks.attach(attachment("c1"));

        Thread.currentThread().interrupt();
        networks.detach("c1", false);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(calls()).endsWith("DEL slow c1 netns", "DEL good c1 netns");
        assertThat(journal.all()).isEmpty();
    }

    @Test
    void neverHasTwoOperationsOfOneContainer() throws Exception {
        plugin(
                "alone",
                "mkdir " + directory + "/lock-$CNI_CONTAINERID || exit 8; sleep 0.1; rmdir " + directory
                        + "/lock-$CNI_CONTAINERID; printf '%s' '" + RESULT + "'");
        network("1.0.0", "alone");
        PodNetworks networks = networks(Duration.ofSeconds(30));

        try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
            List<Future<?>> operations = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                String id = "c" + i % 2;
                operations.add(threads.submit(() -> networks.attach(attachment(id))));
                operations.add(threads.submit(() -> networks.detach(id, false)));
            }
            for (Future<?> operation : operations) {
                operation.get();
            }
        }
    }

    @Test
    void saysWhyPodsCannotBeAttached() throws Exception {
        PodNetworks networks = networks(Duration.ofSeconds(20));
        assertThat(networks.status().message()).contains("no network configuration in");

        network("1.0.0", "absent");
        assertThat(networks.status().ready()).isFalse();
        assertThat(networks.status().message()).contains("cannot find network plugin absent in");
        assertThatThrownBy(() -> networks.attach(attachment("c1"))).isInstanceOf(CniException.PluginMissing.class);
        assertThat(journal.all()).isEmpty();

        network("1.0.0", "good");
        assertThat(networks.status()).isEqualTo(NetworkReadiness.yes());
        assertThat(networks.describe()).get().asString().contains("pods", "good");
    }

    @Test
    void asksPluginsOfTheNewestVersionForTheirStatus() throws Exception {
        plugin(
                "able",
                "case $CNI_COMMAND in VERSION) echo"
                        + " '{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"1.0.0\",\"1.1.0\"]}';;"
                        + " STATUS) test -e " + directory.resolve("well")
                        + " || { echo '{\"code\":50,\"msg\":\"no route\"}'; exit 1; };; esac");
        plugin("old", "echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.4.0\",\"1.0.0\"]}'");
        network("1.1.0", "old", "able");
        PodNetworks networks = networks(Duration.ofSeconds(20));

        assertThat(networks.status().message()).contains("plugin able failed with code 50: no route");
        Files.writeString(directory.resolve("well"), "");
        assertThat(networks.status().ready()).isTrue();
        assertThat(networks.status().ready()).isTrue();

        assertThat(calls()).filteredOn(call -> call.startsWith("VERSION")).hasSize(2);
        // Once for each no, and once for a yes that is remembered.
        assertThat(calls())
                .filteredOn(call -> call.startsWith("STATUS"))
                .containsExactly("STATUS able  ", "STATUS able  ");
        network("1.1.0", "able");
        assertThat(networks.status().ready()).isTrue();
        assertThat(calls()).filteredOn(call -> call.startsWith("STATUS")).hasSize(3);
    }

    @Test
    void checksNothingThatIsNotAttached() {
        assertThatThrownBy(() -> networks(Duration.ofSeconds(20)).check("c9"))
                .isInstanceOf(CniException.NotAttached.class)
                .hasMessage("container c9 is attached to no network");
    }

    private void plugin(String name, String script) throws Exception {
        Path file = directory.resolve("bin").resolve(name);
        Files.deleteIfExists(file);
        Files.writeString(file, """
            #!/bin/sh
            echo "$CNI_COMMAND %2$s $CNI_CONTAINERID ${CNI_NETNS##*/}" >> %1$s/calls
            printf '%%s' "$CNI_ARGS" > %1$s/args
            cat > %1$s/input-$CNI_COMMAND-%2$s
            %3$s
            """.formatted(directory, name, script));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private void network(String version, String... plugins) throws Exception {
        String types = String.join(
                ",",
                List.of(plugins).stream().map("{\"type\": \"%s\"}"::formatted).toList());
        Files.writeString(
                directory.resolve("net.d/10.conflist"),
                "{\"cniVersion\": \"%s\", \"name\": \"pods\", \"plugins\": [%s]}".formatted(version, types));
    }

    private PodNetworks networks(Duration delTimeout) {
        return new PodNetworks(configs(), runner(delTimeout), journal);
    }

    private NetworkConfigs configs() {
        return new NetworkConfigs(directory.resolve("net.d"));
    }

    private PluginRunner runner(Duration delTimeout) {
        return new PluginRunner(List.of(directory.resolve("bin")), Duration.ofSeconds(20), delTimeout);
    }

    private Attachment attachment(String id) {
        return new Attachment(id, netns, "eth0", Map.of("K8S_POD_NAME", "web"), Capabilities.NONE);
    }

    private List<String> calls() throws Exception {
        return Files.readAllLines(directory.resolve("calls"));
    }

    private String input(String command, String plugin) throws Exception {
        return Files.readString(directory.resolve("input-" + command + "-" + plugin));
    }
}
