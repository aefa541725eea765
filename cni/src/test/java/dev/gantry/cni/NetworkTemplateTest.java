package dev.gantry.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkTemplateTest {

    /// As nodes have it for containerd.
    private static final String TEMPLATE = """
        {"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "bridge", "ipam": {"type": "host-local",
          "subnet": "{{.PodCIDR}}",
          "ranges": [{{range $i, $range := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$range}}"}]{{end}}],
          "routes": [{{range $i, $route := .Routes}}{{if $i}}, {{end}}{"dst": "{{$route}}"}{{end}}]}}]}
        """;

    @TempDir
    private Path directory;

    private static String filled(String template, String ranges) {
        return NetworkTemplate.parse(template).fill(PodRanges.parse(ranges));
    }

    @Test
    void putsTheRangesOfBothFamiliesIntoTheirPlaces() {
        assertThat(filled(TEMPLATE, "10.1.0.0/24,fd00:1::/64"))
                .contains("\"subnet\": \"10.1.0.0/24\"")
                .contains("\"ranges\": [[{\"subnet\": \"10.1.0.0/24\"}], [{\"subnet\": \"fd00:1::/64\"}]]")
                .contains("\"routes\": [{\"dst\": \"0.0.0.0/0\"}, {\"dst\": \"::/0\"}]");
        assertThat(filled(TEMPLATE, "10.1.0.0/24")).contains("\"routes\": [{\"dst\": \"0.0.0.0/0\"}]");
    }

    @Test
    void knowsTheShortFormsToo() {
        assertThat(filled("a {{- range .Routes }} {{ . }}; {{- end -}}  b", "10.1.0.0/24"))
                .isEqualTo("a 0.0.0.0/0;b");
        assertThat(filled("{{range $r := .PodCIDRRanges}}<{{$r}}>{{end}}", "10.1.0.0/24, 10.2.0.0/24"))
                .isEqualTo("<10.1.0.0/24><10.2.0.0/24>");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"{{.Name}}", "{{range .Routes}}", "{{end}}", "{{$x}}", "{{printf \"%s\" .PodCIDR}}", "{{else}}"})
    void refusesWhatItDoesNotKnow(String template) {
        assertThatThrownBy(() -> filled(template, "10.1.0.0/24")).isInstanceOf(JsonObject.WrongType.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10.1.0.0",
                "10.1.0.0/33",
                "fd00::/129",
                "10.1/16",
                "example.org/24",
                "10.1.0.0/24,",
                "10.1.0.0/24\"",
                "fe80::1%lo/64",
                "10.1.0.0/-1"
            })
    void refusesWhatIsNoRange(String ranges) {
        assertThatThrownBy(() -> PodRanges.parse(ranges))
                .isInstanceOf(CniException.InvalidRequest.class)
                .hasMessageContaining("is no range of addresses");
    }

    @Test
    void writesAConfigurationThatIsUsedAtOnceAndReplacesItsOwn() throws IOException {
        NetworkConfigs configs = new NetworkConfigs(directory.resolve("net.d"));
        Path template = Files.writeString(directory.resolve("template"), TEMPLATE);
        NetworkGenerator generator = new NetworkGenerator(configs, Optional.of(template));

        generator.generate(PodRanges.parse("10.1.0.0/24"));
        assertThat(configs.current().config())
                .hasValueSatisfying(it -> assertThat(it.name()).isEqualTo("pods"));

        generator.generate(PodRanges.parse("10.2.0.0/24"));
        assertThat(directory.resolve("net.d").resolve(NetworkGenerator.FILE))
                .content()
                .contains("10.2.0.0/24");
    }

    @Test
    void leavesTheConfigurationOfOthersAlone() throws IOException {
        Path folder = Files.createDirectories(directory.resolve("net.d"));
        Files.writeString(folder.resolve("20-other.conflist"), filled(TEMPLATE, "10.9.0.0/24"));
        Path template = Files.writeString(directory.resolve("template"), TEMPLATE);

        new NetworkGenerator(new NetworkConfigs(folder), Optional.of(template))
                .generate(PodRanges.parse("10.1.0.0/24"));

        assertThat(folder.resolve(NetworkGenerator.FILE)).doesNotExist();
    }

    @Test
    void writesNothingThatIsNoConfiguration() throws IOException {
        Path folder = directory.resolve("net.d");
        Path template = Files.writeString(directory.resolve("template"), "{\"name\": \"{{.PodCIDR}}\"}");
        NetworkGenerator generator = new NetworkGenerator(new NetworkConfigs(folder), Optional.of(template));

        assertThatThrownBy(() -> generator.generate(PodRanges.parse("10.1.0.0/24")))
                .isInstanceOf(CniException.MalformedConfig.class)
                .hasMessageContaining(template.toString());
        assertThat(folder).doesNotExist();
        new NetworkGenerator(new NetworkConfigs(folder), Optional.empty()).generate(PodRanges.parse("10.1.0.0/24"));
        assertThat(folder).doesNotExist();
    }
}
