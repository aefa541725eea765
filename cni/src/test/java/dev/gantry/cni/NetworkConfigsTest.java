package dev.gantry.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkConfigsTest {

    @TempDir
    private Path temporary;

    private Path folder = Path.of("");
    private NetworkConfigs configs = new NetworkConfigs(Path.of(""));

    @BeforeEach
    void open() {
        folder = temporary.resolve("net.d");
        configs = new NetworkConfigs(folder);
    }

    @Test
    void waitsForTheFolderToCome() throws Exception {
        assertThat(configs.current().config()).isEmpty();
        assertThatThrownBy(() -> configs.current().required(folder))
                .isInstanceOf(CniException.NotConfigured.class)
                .hasMessage("no network configuration in " + folder);

        write("10.conflist", list("pods", "1.0.0"));

        assertThat(name()).contains("pods");
    }

    @Test
    void takesTheFirstByNameOfAnyEnding() throws Exception {
        write("20.conflist", list("second", "1.0.0"));
        write("10.conf", "{\"cniVersion\": \"1.0.0\", \"name\": \"first\", \"type\": \"bridge\"}");
        write("05.txt", "not asked");
        assertThat(name()).contains("first");

        write("01.json", "{\"cniVersion\": \"1.0.0\", \"name\": \"zeroth\", \"type\": \"bridge\"}");
        assertThat(name()).contains("zeroth");
    }

    @Test
    void seesChangesAndRemovals() throws Exception {
        write("10.conflist", list("one", "1.0.0"));
        assertThat(name()).contains("one");

        write("10.conflist", list("two", "1.0.0"));
        assertThat(name()).contains("two");

        Files.delete(folder.resolve("10.conflist"));
        assertThat(name()).isEmpty();
    }

    @Test
    void passesOverWhatCannotBeUsedAndSaysWhy() throws Exception {
        write("10.conflist", "{ not json");
        write("20.conf", "{\"cniVersion\": \"1.0.0\", \"name\": \"n\"}");
        assertThatThrownBy(() -> configs.current().required(folder))
                .hasMessageContaining("10.conflist")
                .hasMessageContaining("20.conf: a plugin has no 'type'");

        write("30.conflist", list("good", "0.4.0"));

        assertThat(name()).contains("good");
        assertThat(configs.current().problems()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.1.0", "0.2.0", "0.3.0", "2.0.0", "", "1.0"})
    void refusesOtherVersionsByName(String version) throws Exception {
        write("10.conflist", list("pods", version));

        assertThatThrownBy(() -> configs.current().required(folder))
                .hasMessageContaining("its cniVersion " + version + " is not one of [0.3.1, 0.4.0, 1.0.0, 1.1.0]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "'[\"0.4.0\", \"1.1.0\", \"9.9.9\"]';1.0.0;1.1.0",
                "'[\"0.4.0\"]';1.0.0;1.0.0",
                "'[\"9.9.9\"]';0.3.1;0.3.1"
            })
    void speaksTheNewestVersionThatBothKnow(String versions, String version, String spoken) throws Exception {
        write(
                "10.conflist",
                "{\"cniVersion\": \"%s\", \"cniVersions\": %s, \"name\": \"n\", \"plugins\": [{\"type\": \"bridge\"}]}"
                        .formatted(version, versions));

        assertThat(configs.current().config())
                .get()
                .extracting(NetworkConfig::version)
                .hasToString(spoken);
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../bin/sh", "/bin/sh", "", "a b"})
    void refusesAPluginTypeThatIsNoPlainName(String type) throws Exception {
        write(
                "10.conflist",
                "{\"cniVersion\": \"1.0.0\", \"name\": \"n\", \"plugins\": [{\"type\": \"%s\"}]}".formatted(type));

        assertThat(name()).isEmpty();
    }

    @Test
    void loadsPluginsFromTheNetworksOwnFolderUnlessToldNotTo() throws Exception {
        write("10.conflist", list("pods", "1.1.0"));
        Files.createDirectories(folder.resolve("pods"));
        Files.writeString(folder.resolve("pods/20.conf"), "{\"type\": \"portmap\"}");
        Files.writeString(folder.resolve("pods/10.conf"), "{\"type\": \"tuning\"}");
        assertThat(types()).containsExactly("bridge", "tuning", "portmap");

        Files.delete(folder.resolve("pods/10.conf"));
        assertThat(types()).containsExactly("bridge", "portmap");

        write("10.conflist", list("pods", "1.1.0").replace("{\"cni", "{\"loadOnlyInlinedPlugins\": true, \"cni"));
        assertThat(types()).containsExactly("bridge");
    }

    @Test
    void savesAConfigurationWholeInItself() throws Exception {
        write("10.conflist", list("pods", "1.1.0").replace("{\"cni", "{\"disableCheck\": \"true\", \"cni"));
        Files.createDirectories(folder.resolve("pods"));
        Files.writeString(folder.resolve("pods/20.conf"), "{\"type\": \"portmap\", \"deep\": {\"a\": [1, null]}}");
        NetworkConfig config = configs.current().required(folder);

        NetworkConfig again = NetworkConfig.ofSaved(config.saved(), "c1");

        assertThat(again.plugins()).isEqualTo(config.plugins());
        assertThat(again.name()).isEqualTo("pods");
        assertThat(again.disableCheck()).isTrue();
        assertThat(again.version()).isEqualTo(CniVersion.V1_1_0);
    }

    @Test
    void givesAPluginWhatItDeclaresAndNothingElse() {
        PluginConfig plugin = PluginConfig.of(json("{\"type\": \"portmap\", \"snat\": true,"
                + " \"capabilities\": {\"portMappings\": true, \"mac\": false, \"dns\": true}}"));
        Capabilities wishes = new Capabilities(
                List.of(new Capabilities.PortMapping(8080, 80, "tcp", "")),
                Optional.of(new Capabilities.Bandwidth(1000, 0, 0, 0)),
                Optional.empty(),
                List.of(),
                Optional.of("02:00:00:00:00:01"),
                Optional.empty(),
                Map.of());

        byte[] input = plugin.input(
                "pods", CniVersion.V1_0_0, new JsonObject(wishes.toJson()), Optional.of(json("{\"ips\":[]}")));

        assertThat(new String(input, StandardCharsets.UTF_8))
                .isEqualTo("{\"type\":\"portmap\",\"snat\":true,\"name\":\"pods\",\"cniVersion\":\"1.0.0\","
                        + "\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"tcp\"}]},"
                        + "\"prevResult\":{\"ips\":[]}}");
    }

    private static JsonObject json(String text) {
        return JsonObject.parse(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String list(String name, String version) {
        return "{\"cniVersion\": \"%s\", \"name\": \"%s\", \"plugins\": [{\"type\": \"bridge\"}]}"
                .formatted(version, name);
    }

    private void write(String file, String text) throws Exception {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(file), text);
    }

    private Optional<String> name() {
        return configs.current().config().map(NetworkConfig::name);
    }

    private List<String> types() {
        return configs.current().required(folder).plugins().stream()
                .map(PluginConfig::type)
                .toList();
    }
}
