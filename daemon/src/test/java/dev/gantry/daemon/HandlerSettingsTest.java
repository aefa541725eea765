package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Spec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HandlerSettingsTest {

    @TempDir
    private Path directory;

    /// The default handler, but for its OCI runtime.
    static HandlerSettings runc(String binary, Path root) {
        return new HandlerSettings(
                "containerd-shim-gantry-v1",
                binary,
                root,
                "",
                List.of(),
                List.of(),
                Optional.empty(),
                true,
                false,
                HandlerSettings.ShimConfiguration.NONE);
    }

    private static Configuration.Containers read(String text) {
        return Configuration.read(TomlFile.parse("test.toml", text), Optional.empty())
                .runtime();
    }

    @Test
    void areThoseOfEachTable() throws IOException {
        String spec = "{\"ociVersion\": \"1.2.0\", \"process\": {\"cwd\": \"/\", \"user\": {\"uid\": 0, \"gid\": 0},"
                + " \"env\": [\"A=b\"]}}";
        Path base = Files.writeString(directory.resolve("base.json"), spec);

        Configuration.Containers runtime = read("""
            [runtime]
            default_handler = "crun"
            [runtime.handlers.crun]
            binary = "crun"
            root = "/run/crun"
            snapshotter = "native"
            allowed_annotations = ["a.*"]
            allowed_container_annotations = ["b.*"]
            base_spec = "%s"
            privileged_without_host_devices = true
            cgroup_writable = true
            [runtime.handlers.kata]
            shim = "containerd-shim-kata-v2"
            binary = ""
            config_type = "io.containerd.kata.v2.options"
            config_path = "/etc/kata.toml"
            """.formatted(base));

        assertThat(runtime.handlers().get("runc")).isEqualTo(runc("runc", Path.of("/run/gantry/runc")));
        assertThat(runtime.handlers().get("crun"))
                .isEqualTo(new HandlerSettings(
                        "containerd-shim-gantry-v1",
                        "crun",
                        Path.of("/run/crun"),
                        "native",
                        List.of("a.*"),
                        List.of("b.*"),
                        Optional.of(Spec.parse(spec.getBytes(StandardCharsets.UTF_8), "base")),
                        false,
                        true,
                        HandlerSettings.ShimConfiguration.NONE));
        assertThat(runtime.handlers())
                .hasEntrySatisfying(
                        "kata",
                        it -> assertThat(it.configuration())
                                .isEqualTo(new HandlerSettings.ShimConfiguration(
                                        "io.containerd.kata.v2.options", "/etc/kata.toml", "")));
    }

    @Test
    void haveABaseSpecThatCanBeRead() throws IOException {
        Path base = Files.writeString(directory.resolve("base.json"), "[]");

        for (String path : List.of(base.toString(), directory.resolve("absent").toString(), "relative.json")) {
            assertThatThrownBy(() -> read("[runtime.handlers.runc]\nbase_spec = \"%s\"".formatted(path)))
                    .isInstanceOf(DaemonException.BadConfiguration.class)
                    .hasMessageContaining("runtime.handlers.runc.base_spec");
        }
    }

    @Test
    void haveABaseSpecWhoseVariablesHaveNames() throws IOException {
        for (String variable : List.of("DEBUG", "=yes", "")) {
            Path base = Files.writeString(directory.resolve("base.json"), """
                    {"ociVersion": "1.2.0",
                     "process": {"cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["A=b", "%s"]}}""".formatted(variable));

            assertThatThrownBy(() -> read("[runtime.handlers.runc]\nbase_spec = \"%s\"".formatted(base)))
                    .isInstanceOf(DaemonException.BadConfiguration.class)
                    .hasMessageContaining("runtime.handlers.runc.base_spec")
                    .hasMessageContaining("\"%s\", which is not NAME=VALUE", variable);
        }
    }

    @Test
    void haveAnOciRuntimeOrAConfigurationOfTheirShim() {
        assertThatThrownBy(() -> read("[runtime.handlers.kata]\nconfig_body = \"x\""))
                .hasMessageContaining("runtime.handlers.kata.binary must be \"\"");
    }
}
