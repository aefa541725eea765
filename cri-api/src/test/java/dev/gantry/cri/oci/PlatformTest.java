package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PlatformTest {

    @ParameterizedTest
    @CsvSource({
        "linux/amd64, linux/amd64, true",
        "linux/amd64, linux/amd64/v1, true",
        "linux/amd64, linux/amd64/v2, false",
        "linux/amd64/v3, linux/amd64/v2, true",
        "linux/amd64, linux/386, true",
        "linux/amd64, linux/arm64, false",
        "linux/amd64, windows/amd64, false",
        "linux/386, linux/amd64, false",
        "linux/aarch64, linux/arm64/v8, true",
        "linux/arm64, linux/arm64/v9, false",
        "linux/arm64, linux/arm/v7, true",
        "linux/arm/v7, linux/arm/v6, true",
        "linux/arm/v6, linux/arm/v7, false",
        "linux/arm/v6, linux/arm, false",
        "linux/s390x, linux/s390x, true",
    })
    void runsWhatItsProcessorCanDo(String machine, String image, boolean runs) {
        assertThat(Platform.parse(machine).runs(Platform.parse(image))).isEqualTo(runs);
    }

    @Test
    void choosesTheImageThatMakesMostOfTheMachine() {
        ImageIndex index = index("linux/386", "linux/amd64", "linux/amd64/v4", "linux/amd64/v2", "linux/arm64");

        assertThat(chosen(index, "linux/amd64")).isEqualTo("linux/amd64");
        assertThat(chosen(index, "linux/amd64/v3")).isEqualTo("linux/amd64/v2");
        assertThat(chosen(index, "linux/amd64/v4")).isEqualTo("linux/amd64/v4");
        assertThat(chosen(index("linux/arm64", "linux/386"), "linux/amd64")).isEqualTo("linux/386");
        assertThat(index("linux/arm64").choose(Platform.parse("linux/amd64"))).isEmpty();
    }

    @Test
    void takesAnEntryWithoutPlatformOnlyIfNothingElseSuits() {
        var plain = new Descriptor(MediaTypes.OCI_MANIFEST, Digest.of(new byte[] {1}), 1);
        var suiting = index("linux/amd64").manifests().getFirst();
        var index = new ImageIndex(MediaTypes.OCI_INDEX, List.of(plain, suiting), Map.of());

        assertThat(index.choose(Platform.parse("linux/amd64"))).contains(suiting);
        assertThat(index.choose(Platform.parse("linux/s390x"))).contains(plain);
    }

    @Test
    void knowsTheHost() {
        assertThat(Platform.host().os()).isEqualTo("linux");
        assertThat(Platform.host().runs(new Platform("linux", System.getProperty("os.arch"), "")))
                .isTrue();
    }

    @Test
    void readsTheLevelOfAProcessorFromItsFlags(@TempDir Path directory) throws IOException {
        Path cpuinfo = directory.resolve("cpuinfo");
        Files.writeString(
                cpuinfo, "processor\t: 0\nflags\t\t: fpu cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 fpu\nflags : x\n");

        assertThat(HostProcessor.platform("amd64", cpuinfo)).hasToString("linux/amd64/v2");
        assertThat(HostProcessor.platform("amd64", directory.resolve("none"))).hasToString("linux/amd64");
        assertThat(HostProcessor.platform("aarch64", cpuinfo)).hasToString("linux/arm64");
    }

    @ParameterizedTest
    @CsvSource({"linux", "linux/", "/amd64", "a/b/c/d", "a//b", "''"})
    void refusesWhatIsNoPlatform(String text) {
        assertThatThrownBy(() -> Platform.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    private static ImageIndex index(String... platforms) {
        List<Descriptor> manifests = Stream.of(platforms)
                .map(text -> new Descriptor(
                        MediaTypes.OCI_MANIFEST,
                        Digest.of(text.getBytes(StandardCharsets.UTF_8)),
                        1,
                        List.of(),
                        Map.of(),
                        Platform.parse(text)))
                .toList();
        return new ImageIndex(MediaTypes.OCI_INDEX, manifests, Map.of());
    }

    private static String chosen(ImageIndex index, String machine) {
        return index.choose(Platform.parse(machine)).orElseThrow().platform() + "";
    }
}
