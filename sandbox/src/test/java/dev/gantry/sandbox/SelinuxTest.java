package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.linux.Mount;
import dev.gantry.linux.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The policy's part; `SelinuxVmIT` of the daemon has a kernel that enforces.
class SelinuxTest {

    private static final Predicate<String> FREE = level -> false;
    private static final SelinuxLabel NONE = SelinuxLabel.NONE;
    private static final SelinuxLabel POD = new SelinuxLabel("system_u", "system_r", "container_t", "s0:c1,c2");

    @TempDir
    private Path root;

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }

    private void kernelHasSelinux() throws IOException {
        write("sys/fs/selinux/context", "");
        write("sys/fs/selinux/mls", "1");
        write("proc/self/attr/current", "system_u:system_r:init_t:s0\0");
        write("etc/selinux/config", "# which\nSELINUX=enforcing\nSELINUXTYPE=default\n");
    }

    private void policyKnowsContainers(String level) throws IOException {
        write("etc/selinux/default/contexts/lxc_contexts", """
                process = "system_u:system_r:container_t%s"
                file = "system_u:object_r:container_file_t%s"
                ro_file = "system_u:object_r:container_ro_file_t%s"
                """.formatted(level, level, level));
    }

    private Selinux selinux(int categories) {
        return new Selinux(root, categories);
    }

    @Test
    void givesEachPodCategoriesOfItsOwn() throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");
        Selinux selinux = selinux(4); // makes six pairs
        Set<String> levels = new HashSet<>();

        for (int i = 0; i < 6; i++) {
            SelinuxLabel label = selinux.ofPod(NONE, levels::contains);
            assertThat(label.toString()).matches("system_u:system_r:container_t:s0:c[0-2],c[1-3]");
            assertThat(levels.add(label.level())).isTrue();
        }

        assertThatThrownBy(() -> selinux.ofPod(NONE, levels::contains))
                .isInstanceOf(SandboxException.Failed.class)
                .hasMessageContaining("raise runtime.selinux_categories");
    }

    @Test
    void labelsFilesForThePod() throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");
        Selinux selinux = selinux(1024);

        assertThat(selinux.files(POD)).isEqualTo("system_u:object_r:container_file_t:s0:c1,c2");
        assertThat(selinux.files(NONE, POD)).isEqualTo(selinux.files(POD));
        assertThat(selinux.files(NONE)).isEmpty();
    }

    @Test
    void takesWhatThePodOrTheContainerSays() throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");
        Selinux selinux = selinux(1024);
        SelinuxLabel level = new SelinuxLabel("", "", "", "s0:c5,c6");
        SelinuxLabel type = new SelinuxLabel("", "", "spc_t", "");

        assertThat(selinux.ofPod(level, FREE)).hasToString("system_u:system_r:container_t:s0:c5,c6");
        assertThat(selinux.ofPod(type, FREE).toString()).matches("system_u:system_r:spc_t:s0:c\\d+,c\\d+");
        assertThat(selinux.process(NONE, POD, false)).isEqualTo(POD.toString());
        assertThat(selinux.process(type, POD, false)).isEqualTo("system_u:system_r:spc_t:s0:c1,c2");
        assertThat(selinux.process(level, POD, false)).isEqualTo("system_u:system_r:container_t:s0:c5,c6");
        assertThat(selinux.files(level, POD)).isEqualTo("system_u:object_r:container_file_t:s0:c5,c6");
    }

    @Test
    void letsPrivilegedContainersDoEverythingUnlessTheyNameAType() throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");
        Selinux selinux = selinux(1024);
        SelinuxLabel type = new SelinuxLabel("", "", "spc_t", "");

        assertThat(selinux.process(NONE, POD, true)).isEqualTo("system_u:system_r:spc_t:s0");
        assertThat(selinux.process(type, POD, true)).isEqualTo("system_u:system_r:spc_t:s0:c1,c2");
        assertThat(selinux.files(NONE, POD)).isNotEmpty();
    }

    @Test
    void hasNoLevelsWhereThePolicyHasNone() throws IOException {
        kernelHasSelinux();
        write("sys/fs/selinux/mls", "0");
        policyKnowsContainers("");
        Selinux selinux = selinux(1024);
        SelinuxLabel pod = selinux.ofPod(NONE, FREE);

        assertThat(pod).hasToString("system_u:system_r:container_t");
        assertThat(selinux.files(pod)).isEqualTo("system_u:object_r:container_file_t");
    }

    @Test
    void labelsOnlyWhoAsksWhereThePolicySaysNothingOfContainers() throws IOException {
        kernelHasSelinux();
        Selinux selinux = selinux(1024);
        SelinuxLabel level = new SelinuxLabel("", "", "", "s0:c5,c6");

        assertThat(selinux.ofPod(NONE, FREE)).isEqualTo(NONE);
        assertThat(selinux.process(NONE, NONE, false)).isEmpty();
        assertThat(selinux.process(NONE, NONE, true)).isEmpty();
        assertThat(selinux.files(NONE, NONE)).isEmpty();
        assertThat(selinux.ofPod(level, FREE)).hasToString("system_u:system_r:container_t:s0:c5,c6");
        assertThat(selinux.files(level, NONE)).isEqualTo("system_u:object_r:container_file_t:s0:c5,c6");
    }

    @Test
    void takesAPolicyThatDoesNotKnowItsOwnLabelsForOneThatSaysNothing() throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");
        Path context = root.resolve("sys/fs/selinux/context");
        Files.delete(context);
        Files.createDirectory(context); // which cannot be written to

        Selinux selinux = selinux(1024);

        assertThat(selinux.enabled()).isTrue();
        assertThat(selinux.ofPod(NONE, FREE)).isEqualTo(NONE);
        assertThat(selinux.files(NONE, NONE)).isEmpty();
    }

    @Test
    void labelsLayersOnce() throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");
        Path layers = Files.createDirectories(root.resolve("layers/1/fs"));
        Files.writeString(layers.resolve("file"), "x");
        assumeTrue(SelinuxRelabelTest.canLabel(layers, "file"), "no attribute security.selinux can be set here");

        selinux(1024).labelLayers(root.resolve("layers"));
        Files.writeString(layers.resolve("later"), "x");
        selinux(1024).labelLayers(root.resolve("layers"));

        assertThat(SelinuxRelabelTest.label(layers, "file")).contains("system_u:object_r:container_ro_file_t:s0");
        assertThat(SelinuxRelabelTest.label(layers, "later"))
                .as("inherits, where the kernel has SELinux")
                .isEmpty();
    }

    @Test
    void goesOnWithoutLayersThatCannotBeLabelledAndTriesAgain() throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");
        Path layers = Files.createDirectory(root.resolve("layers"));
        Files.createDirectories(layers.resolve("d/".repeat(600)));
        Files.writeString(layers.resolve("file"), "x");
        assumeTrue(SelinuxRelabelTest.canLabel(layers, "file"), "no attribute security.selinux can be set here");

        selinux(1024).labelLayers(layers);
        assertThat(SelinuxRelabelTest.label(root, "layers")).as("not done").isEmpty();

        Trees.delete(layers.resolve("d/d"));
        selinux(1024).labelLayers(layers);
        assertThat(SelinuxRelabelTest.label(root, "layers")).contains("system_u:object_r:container_ro_file_t:s0");
        assertThat(SelinuxRelabelTest.label(layers, "d")).contains("system_u:object_r:container_ro_file_t:s0");
    }

    @Test
    void labelsNobodyWithoutAPolicy() throws IOException {
        assertThat(selinux(1024).enabled()).as("no SELinux").isFalse();

        kernelHasSelinux();
        policyKnowsContainers(":s0");
        write("proc/self/attr/current", "kernel\0");
        Selinux unloaded = selinux(1024);

        assertThat(unloaded.enabled()).as("no policy yet").isFalse();
        assertThat(unloaded.ofPod(POD, FREE)).isEqualTo(NONE);
        assertThat(unloaded.process(POD, POD, false)).isEmpty();
        assertThat(unloaded.files(POD)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\"b", "t,ro", "t:u", "a b", "t\0"})
    void refusesWhatIsMoreThanALabel(String type) throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");

        assertThatThrownBy(() -> selinux(1024).check(new SelinuxLabel("", "", type, "")))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessageContaining("is not written as one");
    }

    @Test
    void refusesWhatTheKernelRefuses() throws IOException {
        kernelHasSelinux();
        policyKnowsContainers(":s0");
        Selinux selinux = selinux(1024);
        Path context = root.resolve("sys/fs/selinux/context");
        Files.delete(context);
        Files.createDirectory(context); // which cannot be written to

        assertThatThrownBy(() -> selinux.check(POD))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessageContaining("does not know the label " + POD);
    }

    @Test
    void labelsOverlaysByAnOptionOfTheMountAndNoOthers() {
        Mount overlay = new Mount("overlay", "overlay", Path.of(""), List.of("lowerdir=/a:/b"));
        Mount bind = new Mount("bind", "/a", Path.of(""), List.of("rbind"));

        assertThat(Selinux.labelled(List.of(overlay, bind), "u:r:t:s0:c1,c2"))
                .containsExactly(
                        new Mount(
                                "overlay",
                                "overlay",
                                Path.of(""),
                                List.of("lowerdir=/a:/b", "context=\"u:r:t:s0:c1,c2\"")),
                        bind);
        assertThat(Selinux.labelled(List.of(overlay, bind), "")).containsExactly(overlay, bind);
    }
}
