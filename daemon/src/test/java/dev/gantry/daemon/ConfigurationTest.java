package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.OciProcess;
import dev.gantry.image.ImageSettings;
import dev.gantry.runtime.ContainerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigurationTest {

    private static final Configuration DEFAULTS = new Configuration(
            Path.of("/var/lib/gantry"),
            Path.of("/run/gantry"),
            Duration.ofSeconds(30),
            new Configuration.Grpc(Path.of("/run/gantry/gantry.sock"), 0660, 0, 0, 16777216, 64),
            new Configuration.Log("info", "text"),
            new Configuration.Images(
                    "",
                    List.of(Path.of("/etc/gantry/certs.d")),
                    6,
                    2,
                    Duration.ofMinutes(5),
                    Optional.of(Path.of("/opt/gantry/share/images")),
                    new ImageSettings.Verifiers(Optional.empty(), 10, Duration.ofSeconds(10))),
            new Configuration.Storage("overlayfs"),
            new Configuration.Cni(
                    Path.of("/etc/cni/net.d"),
                    Optional.empty(),
                    List.of(Path.of("/opt/cni/bin"), Path.of("/usr/lib/cni")),
                    Path.of("/run/gantry/netns"),
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(30)),
            new Configuration.Containers(
                    "runc",
                    "auto",
                    "",
                    16384,
                    Duration.ofMinutes(2),
                    true,
                    true,
                    true,
                    1024,
                    new ContainerOptions(true, false, List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi")), List.of()),
                    Map.of("runc", HandlerSettingsTest.runc("runc", Path.of("/run/gantry/runc")))),
            new Configuration.Streaming("127.0.0.1", 0, "", "", Duration.ofHours(4), 1000));

    private static final Optional<Path> HOME = Optional.of(Path.of("/opt/gantry"));

    @TempDir
    private Path directory;

    @Test
    void hasADefaultForEveryKey() {
        assertThat(Configuration.read(Setting.Table.EMPTY, HOME)).isEqualTo(DEFAULTS);
    }

    @Test
    void printsDefaultsThatReadBackAsTheDefaults() {
        assertThat(Configuration.read(TomlFile.parse("default", Gantryd.defaults()), HOME))
                .isEqualTo(DEFAULTS);
    }

    @Test
    void printsAlsoTheDefaultsThatFollowFromOthers() {
        String everything = Gantryd.defaults().replaceAll("(?m)^#(?=[a-z_]+ = )", "");
        assertThat(Configuration.read(TomlFile.parse("default", everything), Optional.empty()))
                .isEqualTo(DEFAULTS);
    }

    @Test
    void printsEveryKeyThatItReads() {
        Section.Findings findings = new Section.Findings();
        Configuration.read(Setting.Table.EMPTY, HOME, findings);

        String everything = Gantryd.defaults().replaceAll("(?m)^#(?=[a-z_]+ = )", "");
        assertThat(paths("", TomlFile.parse("default", everything)))
                .containsExactlyInAnyOrderElementsOf(findings.keys());
    }

    private static SortedSet<String> paths(String prefix, Setting.Table table) {
        SortedSet<String> paths = new TreeSet<>();
        table.entries().forEach((key, setting) -> {
            paths.add(prefix + key);
            if (setting instanceof Setting.Table inner) {
                paths.addAll(paths(prefix + key + '.', inner));
            }
        });
        return paths;
    }

    @Test
    void readsWhatAllContainersHave() {
        Configuration.Containers runtime =
                Configuration.read(TomlFile.parse("x", """
                    [runtime]
                    default_rlimits = ["nofile=1024:4096", "core=unlimited", "nproc=7"]
                    image_defined_volumes = false
                    device_ownership_from_security_context = true
                    cdi_dirs = []
                    """), HOME).runtime();

        assertThat(runtime.options())
                .isEqualTo(new ContainerOptions(
                        false,
                        true,
                        List.of(),
                        List.of(
                                new OciProcess.Rlimit("RLIMIT_NOFILE", 1024, 4096),
                                new OciProcess.Rlimit("RLIMIT_CORE", -1, -1),
                                new OciProcess.Rlimit("RLIMIT_NPROC", 7, 7))));
    }

    @Test
    void readsWhoDecidesOnImages() {
        assertThat(verifiers("dir = \"/opt/verifiers\"\nmax = 2\ntimeout = \"90s\""))
                .isEqualTo(
                        new ImageSettings.Verifiers(Optional.of(Path.of("/opt/verifiers")), 2, Duration.ofSeconds(90)));

        assertThatThrownBy(() -> verifiers("dir = \"verifiers\"\nmax = 0\ntimeout = \"0s\"\ntimeot = 1"))
                .isInstanceOf(DaemonException.BadConfiguration.class)
                .hasMessage("""
                        x:4:1: images.verifiers.timeout must be longer than nothing, or no image could ever be pulled
                        x:2:1: images.verifiers.dir must be an absolute path, not the string "verifiers"
                        x:3:1: images.verifiers.max must be an integer from 1 to 1000, not the integer 0
                        x:5:1: unknown key images.verifiers.timeot; allowed here: dir, max, timeout""");
    }

    private static ImageSettings.Verifiers verifiers(String lines) {
        return Configuration.read(TomlFile.parse("x", "[images.verifiers]\n" + lines), HOME)
                .images()
                .verifiers();
    }

    @Test
    void refusesLimitsThatAreNone() {
        for (String wrong : List.of("nofile", "files=1", "nofile=2:1", "nofile=unlimited:1", "nofile=-1", "NOFILE=1")) {
            Setting.Table table = TomlFile.parse("x", "[runtime]\ndefault_rlimits = [\"%s\"]".formatted(wrong));
            assertThatThrownBy(() -> Configuration.read(table, HOME))
                    .isInstanceOf(DaemonException.BadConfiguration.class)
                    .hasMessageContaining("runtime.default_rlimits holds \"%s\"".formatted(wrong));
        }
    }

    @Test
    void namesEveryProblemWithItsPlace() throws IOException {
        Path file = write("config.toml", """
                root = "relative"
                [grpc]
                  adress = "/x"
                  mode = "0999"
                [images]
                registry_config = ["/a", 7]
                [cni]
                add_timeout = "soon"
                [runtime]
                default_handler = "kata"
                [runtime.handlers.gvisor]
                shim = true
                """);

        assertThatThrownBy(() -> Configuration.read(TomlFile.read(file), HOME))
                .isInstanceOf(DaemonException.BadConfiguration.class)
                .hasMessage("""
                        FILE:1:1: root must be an absolute path, not the string "relative"
                        FILE:4:3: grpc.mode must be a file mode such as "0660", not the string "0999"
                        FILE:3:3: unknown key grpc.adress; allowed here: address, gid, max_calls, max_message_size, mode, uid
                        FILE:6:26: images.registry_config must be an absolute path, not the integer 7
                        FILE:8:1: cni.add_timeout must be a duration such as "30s", "500ms" or "1m30s", not the string "soon"
                        FILE:12:1: runtime.handlers.gvisor.shim must be a string, not true
                        FILE:10:1: runtime.default_handler names no handler: "kata"; there are: runc, gvisor""".replace("FILE", file.toString()));
    }

    @Test
    void saysWhereAFileIsNoToml() throws IOException {
        Path file = write("config.toml", "root = \"/a\"\n[grpc\n");

        assertThatThrownBy(() -> TomlFile.read(file)).hasMessageStartingWith(file + ":2:6: ");
    }

    @Test
    void refusesAVersionItDoesNotKnow() {
        Setting.Table table = TomlFile.parse("f", "version = 2");

        assertThatThrownBy(() -> Configuration.read(table, HOME))
                .hasMessage("f:1:1: version must be 1, the only version of the configuration that this daemon knows");
    }

    @Test
    void letsDropInsOverrideTheMainFileKeyByKey() throws IOException {
        Path main = write("config.toml", "root = \"/a\"\n[grpc]\nuid = 1\ngid = 1\n");
        write("conf.d/20.toml", "grpc.gid = 3\n");
        write("conf.d/10.toml", "grpc.gid = 2\n[runtime.handlers.kata]\nshim = \"containerd-shim-kata-v2\"\n");
        write("conf.d/ignored.txt", "nonsense");

        Configuration read =
                Configuration.read(ConfigurationFiles.find(Optional.of(main)).read(), HOME);

        assertThat(read.root()).isEqualTo(Path.of("/a"));
        assertThat(read.grpc()).extracting("uid", "gid").containsExactly(1, 3);
        assertThat(read.runtime().handlers()).containsOnlyKeys("runc", "kata");
    }

    @Test
    void derivesPathsFromTheStateDirectory() {
        Configuration read = Configuration.read(TomlFile.parse("f", "state = \"/s\""), HOME);

        assertThat(read.grpc().address()).isEqualTo(Path.of("/s/gantry.sock"));
        assertThat(read.cni().netnsDir()).isEqualTo(Path.of("/s/netns"));
    }

    @Test
    void refusesASocketPathThatTheKernelCannotTake() {
        String path = "/" + "d".repeat(120);

        assertThatThrownBy(() -> Configuration.read(TomlFile.parse("f", "grpc.address = \"" + path + '"'), HOME))
                .hasMessage("f:1:1: grpc.address is longer than a socket's path may be (98 bytes): " + path);
    }

    @ParameterizedTest
    @CsvSource({"500ms,PT0.5S", "30s,PT30S", "1m30s,PT1M30S", "2h,PT2H"})
    void readsDurations(String text, Duration expected) {
        assertThat(Quantities.duration(text)).contains(expected);
    }

    @ParameterizedTest
    @CsvSource({"''", "30", "s", "1d", "-1s", "1.5s", "30s!"})
    void readsNothingElseAsADuration(String text) {
        assertThat(Quantities.duration(text)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"1KiB,1024", "16MiB,16777216", "2GiB,2147483648"})
    void readsSizes(String text, long expected) {
        assertThat(Quantities.size(text)).contains(expected);
    }

    private Path write(String name, String text) throws IOException {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }
}
