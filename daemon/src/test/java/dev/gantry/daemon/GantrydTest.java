package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GantrydTest {

    @TempDir
    private Path directory;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

    @Test
    void takesOptionsInEveryForm() {
        CommandLine line = CommandLine.parse(List.of(
                "--root=/r",
                "--state",
                "/s",
                "--address",
                "/a.sock",
                "--set",
                "log.level=debug",
                "--set",
                "images.registry_config=[\"/one\", \"/two\"]",
                "--set",
                "grpc.gid=5",
                "--set",
                "grpc.mode=0600",
                "--set",
                "runtime.enable_unprivileged_icmp=false",
                "--set",
                "runtime.handlers.runc.binary=/usr/bin/crun"));

        Configuration read = Configuration.read(line.overrides(), Optional.empty());

        assertThat(read.root()).isEqualTo(Path.of("/r"));
        assertThat(read.cni().netnsDir()).isEqualTo(Path.of("/s/netns"));
        assertThat(read.grpc().address()).isEqualTo(Path.of("/a.sock"));
        assertThat(read.grpc().gid()).isEqualTo(5);
        assertThat(read.grpc().mode()).isEqualTo(0600);
        assertThat(read.log().level()).isEqualTo("debug");
        assertThat(read.images().registryConfig()).containsExactly(Path.of("/one"), Path.of("/two"));
        assertThat(read.runtime().unprivilegedIcmp()).isFalse();
        assertThat(read.runtime().handlers().get("runc"))
                .isEqualTo(HandlerSettingsTest.runc("/usr/bin/crun", Path.of("/s/runc")));
    }

    @Test
    void namesTheOptionWhoseValueIsWrong() {
        CommandLine line = CommandLine.parse(List.of("--set", "grpc.uid=root"));

        assertThatThrownBy(() -> Configuration.read(line.overrides(), Optional.empty()))
                .hasMessage(
                        "--set grpc.uid: grpc.uid must be an integer from 0 to 2147483647, not the string \"root\"");
    }

    @Test
    void saysWhatItDoesNotUnderstand() {
        assertThat(run("--verbose")).isEqualTo(2);
        assertThat(errors).hasToString("gantryd: unknown option --verbose; see gantryd --help\n");
    }

    @Test
    void checksAConfigurationFile() throws IOException {
        Path good = Files.writeString(directory.resolve("good.toml"), "root = \"/a\"\n");
        Path bad = Files.writeString(directory.resolve("bad.toml"), "\nroute = 1\n");

        assertThat(run("config", "check", good.toString())).isZero();
        assertThat(out).hasToString(good + ": ok\n");
        assertThat(run("config", "check", bad.toString())).isEqualTo(1);
        assertThat(errors.toString(StandardCharsets.UTF_8)).startsWith("gantryd: " + bad + ":2:1: unknown key route; ");
        assertThat(run("config", "check", directory.resolve("none.toml").toString()))
                .isEqualTo(1);
        assertThat(errors.toString(StandardCharsets.UTF_8)).endsWith("none.toml: no such file\n");
    }

    @Test
    void printsTheDefaults() {
        assertThat(run("config", "default")).isZero();
        assertThat(out).hasToString(Gantryd.defaults());
    }

    private int run(String... arguments) {
        return Gantryd.run(
                List.of(arguments),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(errors, true, StandardCharsets.UTF_8));
    }
}
