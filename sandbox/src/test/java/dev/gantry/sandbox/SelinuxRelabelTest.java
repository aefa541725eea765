package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.RootDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SelinuxRelabelTest {

    private static final String LABEL = "system_u:object_r:container_file_t:s0:c1,c2";

    @TempDir
    private Path directory;

    private Optional<String> label(String path) {
        return label(directory, path);
    }

    static Optional<String> label(Path directory, String path) {
        try (RootDirectory root = RootDirectory.open(directory)) {
            return root.xattr(path, "security.selinux")
                    .map(it -> new String(it, StandardCharsets.UTF_8).replace("\0", ""));
        }
    }

    /// Only root may set the attribute where no SELinux is in the kernel.
    static boolean canLabel(Path directory, String probe) {
        try (RootDirectory root = RootDirectory.open(directory)) {
            root.xattr(probe, "security.selinux", new byte[] {'x', 0});
            return true;
        } catch (ErrnoException _) {
            return false;
        }
    }

    @Test
    void reachesAllBelowAndNothingBeside() throws IOException {
        Files.writeString(directory.resolve("probe"), "");
        assumeTrue(canLabel(directory, "probe"), "no attribute security.selinux can be set here");
        Path volume = Files.createDirectory(directory.resolve("volume"));
        Files.createDirectory(volume.resolve("deep"));
        Files.writeString(volume.resolve("deep/file"), "x");
        Files.writeString(directory.resolve("beside"), "x");
        Files.createSymbolicLink(volume.resolve("link"), directory.resolve("beside"));

        SelinuxRelabel.apply(volume, LABEL);

        assertThat(label("volume")).contains(LABEL);
        assertThat(label("volume/deep/file")).contains(LABEL);
        assertThat(label("beside")).isEmpty();
    }

    @Test
    void isForASingleFileToo() throws IOException {
        Files.writeString(directory.resolve("probe"), "");
        assumeTrue(canLabel(directory, "probe"), "no attribute security.selinux can be set here");
        Files.writeString(directory.resolve("one"), "x");
        Files.writeString(directory.resolve("other"), "x");

        SelinuxRelabel.apply(directory.resolve("one"), LABEL);

        assertThat(label("one")).contains(LABEL);
        assertThat(label("other")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/etc", "/usr", "/var/lib", "/proc/self", "/sys/fs", "/dev/null"})
    void sparesWhatTheHostNeeds(String path) {
        assertThatThrownBy(() -> SelinuxRelabel.apply(Path.of(path), LABEL))
                .isInstanceOf(SandboxException.InvalidRequest.class)
                .hasMessage("cannot relabel %s for SELinux: the host needs its labels as they are", path);
    }
}
