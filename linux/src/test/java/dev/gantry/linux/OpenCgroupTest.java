package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenCgroupTest {

    @TempDir
    private Path tree;

    private OpenCgroup open(String path) throws IOException {
        Files.createDirectories(tree.resolve("a/b"));
        return Cgroups.at(Cgroups.Version.V2, Map.of("memory", tree)).keep(path);
    }

    @Test
    void readsAFileAnewEachTime() throws IOException {
        try (OpenCgroup group = open("/a/b")) {
            Path file = Files.writeString(tree.resolve("a/b/memory.current"), "1\n");
            assertThat(group.read("memory", "memory.current").map(KernelText::number))
                    .contains(1L);

            Files.writeString(file, "22\n");

            assertThat(group.read("memory", "memory.current").map(KernelText::number))
                    .contains(22L);
        }
    }

    @Test
    void readsOnAfterItWasClosed() throws IOException {
        OpenCgroup group = open("/a/b");
        Files.writeString(tree.resolve("a/b/memory.current"), "1\n");
        var _ = group.read("memory", "memory.current");
        group.close();
        group.close();

        assertThat(group.read("memory", "memory.current").map(KernelText::number))
                .contains(1L);
    }

    @Test
    void whatIsNotThereIsEmpty() throws IOException {
        try (OpenCgroup group = open("/a/b");
                OpenCgroup gone = open("/a/c")) {
            assertThat(group.read("memory", "memory.peak")).isEqualTo(Optional.empty());
            assertThat(group.read("io", "io.stat")).isEqualTo(Optional.empty());
            assertThat(gone.read("memory", "memory.current")).isEqualTo(Optional.empty());
        }
    }

    @Test
    void staysWithinTheTree() {
        assertThatThrownBy(() -> open("/a/../../b")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> {
                    try (OpenCgroup group = open("/a")) {
                        var _ = group.read("memory", "../memory.current");
                    }
                })
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void findsTheProcessesOfGroupsBelow() throws IOException {
        Files.createDirectories(tree.resolve("a/b/c"));
        Files.writeString(tree.resolve("a/b/cgroup.procs"), "1\n2\n");
        Files.writeString(tree.resolve("a/b/c/cgroup.procs"), "3\n");

        assertThat(Cgroups.at(Cgroups.Version.V2, Map.of("memory", tree)).processesBelow("/a/b"))
                .containsExactly(1, 2, 3);
    }
}
