package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.CdiEdits;
import dev.gantry.cri.runtime.v1.CDIDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CdiDevicesTest {

    @TempDir
    private Path directory;

    private Path etc;
    private Path run;

    @BeforeEach
    void makeFolders() throws IOException {
        etc = Files.createDirectory(directory.resolve("etc"));
        run = Files.createDirectory(directory.resolve("run"));
    }

    private static String json(String kind, String device, String variable) {
        return """
            {"cdiVersion": "0.6.0", "kind": "%s",
             "devices": [{"name": "%s", "containerEdits": {"env": ["%s"]}}],
             "containerEdits": {"env": ["COMMON=%s"]}}
            """.formatted(kind, device, variable, kind);
    }

    private List<String> variables(String... devices) {
        List<String> variables = new ArrayList<>();
        new CdiDevices(List.of(etc, run))
                        .find(Stream.of(devices)
                                .map(it -> CDIDevice.newBuilder().setName(it).build())
                                .toList())
                        .stream()
                        .map(CdiEdits::env)
                        .forEach(variables::addAll);
        return variables;
    }

    @Test
    void bringTheCommonEditsOfTheirFileOnce() throws IOException {
        Files.writeString(etc.resolve("gpu.json"), """
            {"cdiVersion": "0.6.0", "kind": "vendor.com/gpu",
             "devices": [{"name": "0", "containerEdits": {"env": ["A=0"]}},
                         {"name": "1", "containerEdits": {"env": ["A=1"]}}],
             "containerEdits": {"env": ["COMMON=yes"]}}
            """);
        Files.writeString(etc.resolve("nic.json"), json("vendor.com/nic", "x", "NIC=x"));

        assertThat(variables("vendor.com/gpu=1", "vendor.com/nic=x", "vendor.com/gpu=0", "vendor.com/gpu=1"))
                .containsExactly("COMMON=yes", "A=1", "COMMON=vendor.com/nic", "NIC=x", "A=0");
    }

    @Test
    void mayBeWrittenInYaml() throws IOException {
        Files.writeString(etc.resolve("nvidia.yaml"), """
            ---
            cdiVersion: 0.5.0
            kind: nvidia.com/gpu
            containerEdits:
              deviceNodes:
              - path: /dev/nvidiactl
              hooks:
              - args: [nvidia-cdi-hook, update-ldcache, --folder, /usr/lib64]
                hookName: createContainer
                path: /usr/bin/nvidia-cdi-hook
              mounts:
              - containerPath: /usr/bin/nvidia-smi
                hostPath: /usr/bin/nvidia-smi
                options: [ro, nosuid, nodev, bind]
            devices:
            - name: "0"
              containerEdits:
                deviceNodes:
                - path: /dev/nvidia0
                  fileMode: 438
                  permissions: rw
            """);

        List<CdiEdits> edits = new CdiDevices(List.of(etc))
                .find(List.of(CDIDevice.newBuilder().setName("nvidia.com/gpu=0").build()));

        assertThat(edits).hasSize(2);
        assertThat(edits.getFirst().hooks())
                .singleElement()
                .satisfies(it -> assertThat(it.program().args()).startsWith("nvidia-cdi-hook", "update-ldcache"));
        assertThat(edits.getFirst().mounts().getFirst().options()).containsExactly("ro", "nosuid", "nodev", "bind");
        assertThat(edits.getLast().deviceNodes()).singleElement().satisfies(it -> {
            assertThat(it.hostPath()).isEqualTo("/dev/nvidia0");
            assertThat(it.fileMode()).isEqualTo(438L);
        });
    }

    @Test
    void ofALaterFolderWin() throws IOException {
        Files.writeString(etc.resolve("a.json"), json("vendor.com/gpu", "0", "FROM=etc"));
        Files.writeString(run.resolve("a.json"), json("vendor.com/gpu", "0", "FROM=run"));

        assertThat(variables("vendor.com/gpu=0")).contains("FROM=run").doesNotContain("FROM=etc");
    }

    @Test
    void areReadAnewEachTime() throws IOException {
        assertThatThrownBy(() -> variables("vendor.com/gpu=0")).hasMessageContaining("is in no file in");

        Files.writeString(etc.resolve("a.json"), json("vendor.com/gpu", "0", "A=1"));

        assertThat(variables("vendor.com/gpu=0")).contains("A=1");
    }

    @Test
    void areRefusedWhereTwoFilesOfOneFolderHaveThem() throws IOException {
        Files.writeString(etc.resolve("a.json"), json("vendor.com/gpu", "0", "A=1"));
        Files.writeString(etc.resolve("b.json"), json("vendor.com/gpu", "0", "A=2"));

        assertThatThrownBy(() -> variables("vendor.com/gpu=0"))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageContaining("is in several files of one directory: %s, %s"
                        .formatted(etc.resolve("a.json"), etc.resolve("b.json")));
    }

    @Test
    void aBrokenFileHarmsOnlyThoseInIt() throws IOException {
        Files.writeString(etc.resolve("good.json"), json("vendor.com/gpu", "0", "A=1"));
        Files.writeString(etc.resolve("bad.json"), "{");
        Files.writeString(etc.resolve("unknown.json"), "{\"cdiVersion\": \"0.6.0\", \"kind\": \"a.b/c\", \"x\": 1}");
        Files.writeString(
                etc.resolve("old.json"), json("vendor.com/old", "0", "A=1").replace("0.6.0", "0.4.0"));
        Files.writeString(etc.resolve("laughs.yaml"), "a: &a [x,x]\nb: [*a, *a]\nkind: 1\n");
        Files.writeString(etc.resolve("ignored.txt"), "{");

        assertThat(variables("vendor.com/gpu=0")).contains("A=1");
        assertThatThrownBy(() -> variables("vendor.com/none=0"))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessageStartingWith("CDI device vendor.com/none=0 is in no file in [%s, %s]".formatted(etc, run))
                .hasMessageContaining("bad.json")
                .hasMessageContaining("unknown.json: member x is unknown")
                .hasMessageContaining(
                        "old.json: member cdiVersion is 0.4.0, but the document uses what came with 0.5.0")
                .hasMessageContaining("laughs.yaml: member a is unknown");
    }

    @Test
    void haveNamesOfTheirForm() {
        for (String name : List.of(
                "",
                "gpu",
                "gpu=0",
                "vendor.com=0",
                "vendor.com/gpu",
                "vendor.com/gpu=",
                "../x/gpu=0",
                "vendor.com/gpu=a b")) {
            assertThatThrownBy(() -> variables(name))
                    .isInstanceOf(ContainerException.InvalidRequest.class)
                    .hasMessage("\"%s\" is not the name of a CDI device as in vendor.com/gpu=0".formatted(name));
        }
    }

    @Test
    void needNoFilesWhereNoneIsWanted() {
        assertThat(new CdiDevices(List.of(directory.resolve("none"))).find(List.of()))
                .isEmpty();
    }
}
