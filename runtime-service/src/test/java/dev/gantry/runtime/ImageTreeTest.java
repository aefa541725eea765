package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.FileStatus;
import dev.gantry.linux.RootDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageTreeTest {

    @TempDir
    private Path directory;

    private Path lower;
    private Path upper;

    @BeforeEach
    void makeLayers() throws IOException {
        lower = Files.createDirectories(directory.resolve("lower"));
        upper = Files.createDirectories(directory.resolve("upper"));
    }

    private static void write(Path layer, String path, String text) throws IOException {
        Path file = layer.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static void link(Path layer, String path, String target) throws IOException {
        Path file = layer.resolve(path);
        Files.createDirectories(file.getParent());
        Files.createSymbolicLink(file, Path.of(target));
    }

    private static void whiteout(Path layer, String path) {
        try (RootDirectory root = RootDirectory.open(layer)) {
            root.makeNode(path, FileStatus.Type.CHARACTER_DEVICE.bits(), 0);
        } catch (ErrnoException e) {
            assumeTrue(false, "cannot make a whiteout here: " + e.getMessage());
        }
    }

    private static void opaque(Path layer, String path) {
        try (RootDirectory root = RootDirectory.open(layer)) {
            root.xattr(path, "trusted.overlay.opaque", new byte[] {'y'});
        } catch (ErrnoException e) {
            assumeTrue(false, "cannot make an opaque directory here: " + e.getMessage());
        }
    }

    private Optional<String> read(String path) {
        try (ImageTree tree = ImageTree.open(List.of(upper, lower))) {
            return tree.find(new ContainerPath(path))
                    .map(it -> new String(tree.read(it, 1000), StandardCharsets.UTF_8));
        }
    }

    private String resolve(String path) {
        try (ImageTree tree = ImageTree.open(List.of(upper, lower))) {
            return tree.resolve(new ContainerPath(path)).value();
        }
    }

    @Test
    void readsTheTopmostFile() throws IOException {
        write(lower, "etc/a", "lower");
        write(lower, "etc/b", "lower");
        write(upper, "etc/b", "upper");

        assertThat(read("/etc/a")).contains("lower");
        assertThat(read("/etc/b")).contains("upper");
        assertThat(read("/etc/c")).isEmpty();
        assertThat(read("/etc/a/b")).isEmpty();
    }

    @Test
    void doesNotReadWhatALayerAboveDeleted() throws IOException {
        write(lower, "etc/passwd", "root");
        write(lower, "usr/lib/x", "x");
        Files.createDirectories(upper.resolve("etc"));
        whiteout(upper, "etc/passwd");
        whiteout(upper, "usr");

        assertThat(read("/etc/passwd")).isEmpty();
        assertThat(read("/usr/lib/x")).isEmpty();
    }

    @Test
    void doesNotLookBelowAnOpaqueDirectory() throws IOException {
        write(lower, "etc/passwd", "root");
        write(upper, "etc/group", "wheel");
        opaque(upper, "etc");

        assertThat(read("/etc/passwd")).isEmpty();
        assertThat(read("/etc/group")).contains("wheel");
    }

    @Test
    void doesNotMergeADirectoryWithTheFileThatItReplaced() throws IOException {
        write(lower, "etc", "a file");
        write(upper, "etc/passwd", "root");

        assertThat(read("/etc/passwd")).contains("root");
    }

    @Test
    void doesNotLookBelowAFileThatReplacedADirectory() throws IOException {
        write(lower, "etc/passwd", "root");
        write(upper, "etc", "a file");

        assertThat(read("/etc/passwd")).isEmpty();
    }

    @Test
    void followsLinksThroughLayers() throws IOException {
        write(lower, "usr/share/users", "root");
        link(lower, "usr/etc", "/usr/share");
        link(upper, "etc", "usr/etc");
        link(upper, "usr/share/passwd", "./../share/users");

        assertThat(read("/etc/passwd")).contains("root");
    }

    @Test
    void leavesTheImageByNoLink() throws IOException {
        Path secret = directory.resolve("secret");
        Files.writeString(secret, "of the host");
        link(upper, "a", secret.toString());
        link(upper, "b", "../secret");
        link(upper, "c", "../../../../../../../../../../.." + secret);
        link(upper, "d", "..");

        for (String path : List.of("/a", "/b", "/c", "/d/secret")) {
            assertThat(read(path)).as(path).isEmpty();
        }
    }

    @Test
    void endsWhereLinksGoRound() throws IOException {
        link(upper, "etc", "usr");
        link(upper, "usr", "etc");

        assertThatThrownBy(() -> read("/etc/passwd"))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("too many links on the way to /etc/passwd");
    }

    @Test
    void readsNoMoreThanTheLimitAndNothingButFiles() throws IOException {
        write(upper, "etc/passwd", "x".repeat(1001));
        write(upper, "etc/group/x", "");

        assertThatThrownBy(() -> read("/etc/passwd"))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("/etc/passwd has 1001 bytes, more than the 1000 that are read");
        assertThatThrownBy(() -> read("/etc/group"))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("/etc/group is not a regular file");
    }

    @Test
    void resolvesPathsAsFarAsTheyExist() throws IOException {
        Files.createDirectories(lower.resolve("proc"));
        link(upper, "work", "/proc/self/fd/7");
        link(upper, "here", "work/..");

        assertThat(resolve("/")).isEqualTo("/");
        assertThat(resolve("/none/of/it")).isEqualTo("/none/of/it");
        assertThat(resolve("/work")).isEqualTo("/proc/self/fd/7");
        assertThat(resolve("/work/x")).isEqualTo("/proc/self/fd/7/x");
        assertThat(resolve("/here")).isEqualTo("/proc/self/fd");
        assertThat(resolve("/none/ü")).isEqualTo("/none/ü");
    }

    @Test
    void listsWhatTheLayersHoldTogether() throws IOException {
        write(lower, "data/a", "");
        write(lower, "data/b", "");
        write(upper, "data/c", "");
        whiteout(upper, "data/b");

        try (ImageTree tree = ImageTree.open(List.of(upper, lower))) {
            ImageTree.Entry data = tree.find(new ContainerPath("/data")).orElseThrow();
            assertThat(tree.list(data)).extracting(ImageTree.Entry::path).containsExactly("data/a", "data/c");
        }
    }
}
