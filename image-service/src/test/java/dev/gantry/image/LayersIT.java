package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.linux.Mount;
import dev.gantry.linux.Mounts;
import dev.gantry.storage.SnapshotInfo;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.StorageException;
import io.grpc.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What layers make on the disk, seen as a container sees it, with either snapshotter; and what hostile ones do not.
class LayersIT {

    @TempDir
    private Path directory;

    private FakeRegistry registry;
    private TestNode node;

    @BeforeEach
    void start() throws Exception {
        registry = new FakeRegistry();
        node = new TestNode(directory.resolve("node"), new UnpackLimits(50 << 20, 5000));
    }

    @AfterEach
    void stop() {
        node.close();
        registry.close();
    }

    private Image pull(Snapshotter snapshotter, TestLayer.Packed... layers) {
        registry.add("1", TestImage.of(layers));
        PullOptions options = PullOptions.of(Reference.parse(registry.host() + "/a:1"), Credentials.NONE);
        return node.images.pull(new PullOptions(
                options.reference(),
                options.credentials(),
                Optional.of(snapshotter.name()),
                options.platform(),
                options.listener()));
    }

    /// Mounts the image's root file system with each snapshotter and looks at it.
    private void look(Consumer<Path> viewer, TestLayer.Packed... layers) throws IOException {
        for (Snapshotter snapshotter : List.of(node.overlay, node.nativeSnapshotter)) {
            Image image = pull(snapshotter, layers);
            String key = "look-" + snapshotter.name();
            List<Mount> mounts =
                    snapshotter.prepare(key, Optional.of(image.chainId().toString()), Map.of());
            Path target = Files.createDirectories(directory.resolve(key));
            try {
                for (Mount mount : mounts) {
                    Mounts.mount(mount, target);
                }
                viewer.accept(target);
            } finally {
                Mounts.unmount(target);
                snapshotter.remove(key);
            }
        }
    }

    private static Object unix(Path file, String attribute) {
        try {
            return Files.getAttribute(file, "unix:" + attribute, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static int mode(Path file) {
        return (int) unix(file, "mode") & 07777;
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<Path> children(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(Path::getFileName).toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void keepsModesOwnersTimesAndAttributes() throws IOException {
        byte[] content = "x".getBytes(StandardCharsets.UTF_8);
        look(
                root -> {
                    assertThat(mode(root)).isEqualTo(0711);
                    assertThat(mode(root.resolve("tmp"))).isEqualTo(01777);
                    assertThat(mode(root.resolve("tmp/su"))).isEqualTo(06755);
                    assertThat(unix(root.resolve("tmp/su"), "uid")).isEqualTo(1000);
                    assertThat(unix(root.resolve("tmp/su"), "gid")).isEqualTo(2000);
                    for (String name : List.of("tmp", "tmp/su", "link")) {
                        assertThat(unix(root.resolve(name), "lastModifiedTime"))
                                .as(name)
                                .isEqualTo(FileTime.fromMillis(1_700_000_000_000L));
                    }
                    assertThat(unix(root.resolve("a"), "nlink")).isEqualTo(2);
                    assertThat(unix(root.resolve("a"), "ino")).isEqualTo(unix(root.resolve("b"), "ino"));
                    assertThat(unix(root.resolve("null"), "rdev")).isEqualTo(0x103L);
                    assertThat((int) unix(root.resolve("pipe"), "mode") & 0170000)
                            .isEqualTo(0010000);
                    assertThat(text(root.resolve("dir/ümlaut"))).isEqualTo("u");
                },
                new TestLayer()
                        .directory("./", 0711)
                        .directory("tmp", 01777)
                        .file("tmp/su", content, 06755, 1000, 2000)
                        .file("a", "a")
                        .hardLink("b", "./a")
                        .symlink("link", "/nowhere")
                        .device("null", false, 1, 3)
                        .fifo("pipe")
                        .file("dir/ümlaut", "u", Map.of("SCHILY.xattr.user.note", "hello"))
                        .gzip());
    }

    @Test
    void putsLayersOnTopOfEachOther() throws IOException {
        look(
                root -> {
                    assertThat(root.resolve("gone")).doesNotExist();
                    assertThat(children(root.resolve("cleared"))).containsExactly(Path.of("new"));
                    assertThat(children(root.resolve("replaced"))).containsExactly(Path.of("new"));
                    assertThat(children(root.resolve("again"))).containsExactly(Path.of("new"));
                    assertThat(text(root.resolve("file"))).isEqualTo("2");
                    assertThat(root.resolve("was-file")).isDirectory();
                    assertThat(root.resolve("was-dir")).isRegularFile();
                    assertThat(text(root.resolve("kept"))).isEqualTo("kept");
                },
                new TestLayer()
                        .file("gone/a", "1")
                        .file("cleared/old", "1")
                        .file("replaced/old", "1")
                        .file("again/old", "1")
                        .file("file", "1")
                        .file("was-file", "1")
                        .file("was-dir/x", "1")
                        .file("kept", "kept")
                        .gzip(),
                new TestLayer()
                        .whiteout("", "gone")
                        .file("cleared/new", "2")
                        .opaque("cleared")
                        .whiteout("", "replaced")
                        .directory("replaced", 0755)
                        .file("replaced/new", "2")
                        .directory("again", 0755)
                        .file("again/new", "2")
                        .whiteout("", "again")
                        .file("file", "2")
                        .directory("was-file", 0755)
                        .file("was-dir", "2")
                        .whiteout("", "kept")
                        .file("kept", "kept")
                        .zstd());
    }

    @Test
    void completesFromTheLayersBelowWhatALayerOnlyImplies() throws IOException {
        look(
                root -> {
                    assertThat(mode(root.resolve("secret"))).isEqualTo(0700);
                    assertThat(unix(root.resolve("secret"), "uid")).isEqualTo(42);
                    assertThat(text(root.resolve("secret/b"))).isEqualTo("b");
                    assertThat(mode(root.resolve("fresh"))).isEqualTo(0755);
                },
                new TestLayer()
                        .directory("secret", 0700, 42, 42)
                        .file("secret/a", "a")
                        .gzip(),
                new TestLayer().file("other", "").plain(),
                new TestLayer().file("secret/b", "b").file("fresh/c", "c").gzip());
    }

    @Test
    void followsLinksIntoTheLayersBelow() throws IOException {
        look(
                root -> {
                    assertThat(text(root.resolve("alias"))).isEqualTo("original");
                    assertThat(root.resolve("usr/lib/other")).isRegularFile();
                    assertThat(Files.isSymbolicLink(root.resolve("lib"))).isTrue();
                },
                new TestLayer()
                        .file("original", "original")
                        .directory("usr/lib", 0755)
                        .gzip(),
                new TestLayer().symlink("lib", "usr/lib").gzip(),
                new TestLayer()
                        .hardLink("alias", "original")
                        .file("lib/other", "x")
                        .gzip());
        assertThat(directory.resolve("node/scratch")).isEmptyDirectory();
    }

    // --- hostile layers ---

    private void refused(String problem, TestLayer layer) throws IOException {
        Path outside = directory.resolve("outside");
        Files.createDirectories(outside);
        Files.writeString(outside.resolve("victim"), "unharmed");
        Files.setPosixFilePermissions(outside.resolve("victim"), PosixFilePermissions.fromString("rw-r-----"));
        TestLayer.Packed packed = layer.gzip();
        for (Snapshotter snapshotter : List.of(node.overlay, node.nativeSnapshotter)) {
            if (problem.isEmpty()) {
                pull(snapshotter, packed);
            } else {
                assertThatThrownBy(() -> pull(snapshotter, packed))
                        .hasMessageContaining(packed.digest().toString())
                        .hasMessageContaining(problem)
                        .satisfies(e -> assertThat(GrpcErrors.of(e).getStatus().getCode())
                                .isEqualTo(Status.Code.INTERNAL));
                assertThat(node.images.list()).isEmpty();
                assertThat(snapshotter.list()).extracting(SnapshotInfo::key).isEmpty();
            }
            assertThat(children(outside)).containsExactly(Path.of("victim"));
            assertThat(text(outside.resolve("victim"))).isEqualTo("unharmed");
            assertThat(mode(outside.resolve("victim"))).isEqualTo(0640);
            assertThat(unix(outside.resolve("victim"), "nlink")).isEqualTo(1);
        }
        assertThat(node.leases.list()).isEmpty();
    }

    private String up() {
        return "../".repeat(12) + directory.toString().substring(1) + "/outside/";
    }

    @Test
    void refusesNamesThatLeadOut() throws IOException {
        refused("leads out", new TestLayer().file(up() + "new", "x"));
        refused("leads out", new TestLayer().file("a/../../b", "x"));
        refused("leads out", new TestLayer().hardLink("x", up() + "victim"));
        refused("leads out", new TestLayer().whiteout("../..", "x"));
        refused("names no file", new TestLayer().file("a/.wh...", ""));
        refused("below a whiteout", new TestLayer().file(".wh.a/b", ""));
    }

    @Test
    void keepsAbsoluteNamesInside() throws IOException {
        refused("", new TestLayer().file(directory + "/outside/new", "x"));
    }

    @Test
    void writesThroughNoLink() throws IOException {
        String outside = directory + "/outside";
        refused(
                "",
                new TestLayer().symlink("out", outside).directory("out", 0777).file("out/new", "x"));
        refused(
                "",
                new TestLayer()
                        .symlink("v", outside + "/victim")
                        .file("v", "overwritten".getBytes(StandardCharsets.UTF_8), 0777, 1, 1));
        refused(
                "",
                new TestLayer().directory(outside, 0755).symlink("out", outside).file("out/new", "x"));
        refused(
                "",
                new TestLayer()
                        .directory(outside, 0755)
                        .symlink("one", up())
                        .symlink("two", "one")
                        .file("two/new", "x")
                        .whiteout("two", "victim")
                        .opaque("two"));
    }

    @Test
    void linksToNothingOutside() throws IOException {
        String outside = directory + "/outside";
        // The path exists outside, and not in the layer.
        refused("does not exist", new TestLayer().symlink("s", outside).hardLink("h", "s/victim"));
    }

    @Test
    void refusesOverlaysOwnAttributesAndStrangeMembers() throws IOException {
        refused(
                "trusted.overlay.redirect",
                new TestLayer().file("f", "", Map.of("SCHILY.xattr.trusted.overlay.redirect", "/etc")));
        refused("root directory", new TestLayer().symlink("./", "/"));
        refused("sparse", new TestLayer().file("f", "", Map.of("GNU.sparse.major", "1")));
        refused("out of range", new TestLayer().file("f", "", Map.of("uid", "4294967296")));
    }

    @Test
    void refusesBombs() throws IOException {
        TestLayer many = new TestLayer();
        for (int i = 0; i < 6000; i++) {
            many.directory("d" + i, 0755);
        }
        refused("more than 5000 entries", many);
        refused(
                "more than %d bytes".formatted(50 << 20),
                new TestLayer().file("zeros", new byte[60 << 20], 0644, 0, 0));
        refused("file name too long", new TestLayer().file("n".repeat(300), ""));
        refused("5000 characters", new TestLayer().file("d/".repeat(2500), ""));
    }

    @Test
    void leavesNothingOnAFullDisk() throws IOException {
        Path small = Files.createDirectories(directory.resolve("small"));
        Mounts.mount(new Mount("tmpfs", "tmpfs", Path.of(""), List.of("size=16m")), small);
        byte[] noise = new byte[12 << 20];
        new Random(1).nextBytes(noise);
        TestLayer.Packed layer =
                new TestLayer().file("noise", noise, 0644, 0, 0).gzip();
        registry.add("1", TestImage.of(layer));
        try (TestNode full = new TestNode(small.resolve("node"))) {
            assertThatThrownBy(() -> full.pull(registry.host() + "/a:1"))
                    .isInstanceOf(StorageException.NoSpace.class)
                    .hasMessageContaining(layer.digest().toString())
                    .satisfies(e -> assertThat(GrpcErrors.of(e).getStatus().getCode())
                            .isEqualTo(Status.Code.RESOURCE_EXHAUSTED));

            assertThat(full.images.list()).isEmpty();
            assertThat(full.overlay.list()).isEmpty();
            assertThat(full.leases.list()).isEmpty();
            full.garbage.run();
            assertThat(full.content.list()).isEmpty();
        } finally {
            Mounts.unmount(small);
        }
    }
}
