package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Attacks on the confinement run as root, who could otherwise reach everything.
@ExtendWith(RootRequired.class)
class RootDirectoryIT {

    @TempDir
    private Path directory;

    private Path top = Path.of("");
    private Path outside = Path.of("");
    private RootDirectory root = RootDirectory.open(Path.of("/proc"));

    @BeforeEach
    void makeRoot() throws Exception {
        root.close();
        top = Files.createDirectory(directory.resolve("root"));
        outside = Files.createDirectory(directory.resolve("outside"));
        Files.writeString(outside.resolve("secret"), "secret");
        root = RootDirectory.open(top);
    }

    @AfterEach
    void close() {
        root.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../escaped", "/../escaped", "a/../../escaped", "../../../../escaped", "a/../b/../../escaped"})
    void dotDotStopsAtTheRoot(String path) throws Exception {
        root.makeDirectories("a", 0755);
        root.makeDirectories("b", 0755);

        write(path, "x");

        assertThat(directory.resolve("escaped")).doesNotExist();
        assertThat(Path.of("/escaped")).doesNotExist();
        assertThat(top.resolve("escaped")).hasContent("x");
    }

    @Test
    void absoluteLinksLeadIntoTheRoot() throws Exception {
        root.symlink(outside.toString(), "link");

        assertThatThrownBy(() -> write("link/new", "x")).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> root.readFile("link/secret", 100)).isInstanceOf(ErrnoException.class);
        assertThat(root.status("link/secret")).isEmpty();
        assertThat(outside.resolve("new")).doesNotExist();

        root.makeDirectories("link", 0755);
        write("link/new", "x");
        assertThat(outside.resolve("new")).doesNotExist();
        assertThat(top.resolve(outside.toString().substring(1)).resolve("new")).hasContent("x");
    }

    @Test
    void linksThroughLinksStayInside() throws Exception {
        root.makeDirectories("d", 0755);
        root.symlink("../../..", "d/up");
        root.symlink("d/up/../../" + directory.getFileName() + "/outside", "chain");
        root.symlink("chain", "chain2");

        assertThat(root.status("chain2/secret")).isEmpty();
        assertThatThrownBy(() -> write("chain2/new", "x")).isInstanceOf(ErrnoException.class);
        write("d/up/new", "x");

        assertThat(top.resolve("new")).hasContent("x");
        assertThat(outside.resolve("new")).doesNotExist();
    }

    @Test
    void magicLinksAreNotFollowed() throws Exception {
        // As if proc were mounted in the root; its links lead anywhere by themselves.
        Path proc = Files.createDirectory(top.resolve("proc"));
        Mounts.bind(Path.of("/proc"), proc, false, true);
        try {
            for (String path : new String[] {"proc/self/root/etc/passwd", "proc/self/cwd/x", "proc/self/exe"}) {
                assertThatThrownBy(() -> root.readFile(path, 1 << 20))
                        .as(path)
                        .isInstanceOfSatisfying(
                                ErrnoException.class,
                                e -> assertThat(e.is(Errno.ELOOP)).isTrue());
            }
            assertThatThrownBy(() -> write("proc/self/root" + outside + "/new", "x"))
                    .isInstanceOf(ErrnoException.class);
        } finally {
            Mounts.unmountTree(proc);
        }
        assertThat(outside.resolve("new")).doesNotExist();
    }

    @Test
    void hardLinksReachNothingOutside() throws Exception {
        root.symlink(outside + "/secret", "to-secret");
        root.symlink(outside.toString(), "to-outside");

        assertThatThrownBy(() -> root.link(outside + "/secret", "stolen")).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> root.link("../outside/secret", "stolen")).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> root.link("to-outside/secret", "stolen")).isInstanceOf(ErrnoException.class);
        root.link("to-secret", "second");

        assertThat(root.status("second"))
                .get()
                .satisfies(status -> assertThat(status.isSymlink()).isTrue());
        assertThat(Files.getAttribute(outside.resolve("secret"), "unix:nlink")).isEqualTo(1);
    }

    @Test
    void theLastComponentIsNeverFollowed() throws Exception {
        Path secret = outside.resolve("secret");
        int modeBefore = mode(secret);
        root.symlink(secret.toString(), "link");

        root.mode("link", 0777);
        root.owner("link", 1234, 1234);
        root.times("link", Instant.EPOCH, Instant.EPOCH);
        root.xattr("link", "trusted.gantry", new byte[] {1});
        write("link", "replaced");

        assertThat(secret).hasContent("secret");
        assertThat(mode(secret)).isEqualTo(modeBefore);
        assertThat(Files.getAttribute(secret, "unix:uid")).isEqualTo(0);
        assertThat(Files.getLastModifiedTime(secret).toInstant()).isAfter(Instant.EPOCH);
        assertThat(top.resolve("link")).isRegularFile().hasContent("replaced");
    }

    @Test
    void removesLinksAndNotWhatTheyLeadTo() throws Exception {
        root.makeDirectories("tree/deep", 0755);
        root.symlink(outside.toString(), "tree/deep/link");
        root.symlink("..", "tree/up");

        root.remove("tree");
        root.remove("tree");
        root.remove("absent/below");

        assertThat(top).isEmptyDirectory();
        assertThat(outside.resolve("secret")).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", ".", "./", "//"})
    void refusesToRemoveItself(String path) {
        assertThatThrownBy(() -> root.remove(path)).isInstanceOf(ErrnoException.class);
        assertThat(top).exists();
    }

    @Test
    void aParentThatBecameALinkIsResolvedAnew() throws Exception {
        root.makeDirectories("a/b", 0755);
        write("a/b/one", "1");

        root.remove("a");
        root.symlink(outside.toString(), "a");

        assertThatThrownBy(() -> write("a/b/two", "2")).isInstanceOf(ErrnoException.class);
        assertThatThrownBy(() -> write("a/two", "2")).isInstanceOf(ErrnoException.class);
        assertThat(outside)
                .isDirectoryContaining(path -> path.endsWith("secret"))
                .isDirectoryNotContaining("glob:**two");
    }

    @Test
    void makesTheTargetOfALinkThatLeadsNowhereYet() throws Exception {
        root.symlink("usr/lib", "lib");

        root.makeDirectories("lib/x", 0755);
        write("lib/x/file", "1");

        assertThat(top.resolve("usr/lib/x/file")).hasContent("1");
        assertThat(Files.isSymbolicLink(top.resolve("lib"))).isTrue();
    }

    @Test
    void givesUpOnLinksThatLeadInACircle() {
        root.symlink("b", "a");
        root.symlink("a", "b");

        assertThatThrownBy(() -> root.makeDirectories("a/x", 0755))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.is(Errno.ELOOP)).isTrue());
        assertThatThrownBy(() -> write("a/x", "1")).isInstanceOf(ErrnoException.class);
    }

    @Test
    void makesEveryKindOfFileWithItsExactMode() throws Exception {
        root.makeDirectory("dir", 02777);
        root.makeFifo("fifo", 0666);
        root.makeNode("null", FileStatus.Type.CHARACTER_DEVICE.bits() | 0666, FileStatus.device(1, 3));
        root.makeNode("whiteout", FileStatus.Type.CHARACTER_DEVICE.bits(), 0);
        root.createFile("file", 04777).close();

        assertThat(status("dir").mode()).isEqualTo(02777);
        assertThat(status("fifo").type()).isEqualTo(FileStatus.Type.FIFO);
        assertThat(status("fifo").mode()).isEqualTo(0666);
        assertThat(status("null").special()).isEqualTo(FileStatus.device(1, 3));
        assertThat(status("null").mode()).isEqualTo(0666);
        assertThat(status("whiteout").special()).isZero();
        assertThat(status("file").mode()).isEqualTo(04777);
    }

    @Test
    void devicesAndFifosAreNeverOpened() {
        root.makeNode("zero", FileStatus.Type.CHARACTER_DEVICE.bits() | 0666, FileStatus.device(1, 5));
        root.makeFifo("fifo", 0666);

        assertThatThrownBy(() -> root.readFile("zero", 100)).hasMessageContaining("CHARACTER_DEVICE");
        assertThatThrownBy(() -> root.readFile("fifo", 100)).hasMessageContaining("FIFO");
    }

    @Test
    void readsNoMoreThanAllowed() throws Exception {
        write("etc-passwd", "x".repeat(1000));
        root.symlink("/etc-passwd", "link");

        assertThat(root.readFile("link", 1000)).hasSize(1000);
        assertThatThrownBy(() -> root.readFile("link", 999))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.is(Errno.EFBIG)).isTrue());
    }

    @Test
    void keepsAttributesAndTimes() throws Exception {
        root.makeDirectories("a/b", 0755);
        Instant then = Instant.parse("2001-02-03T04:05:06.000000007Z");

        root.xattr("a/b", "trusted.overlay.opaque", "y".getBytes(StandardCharsets.US_ASCII));
        root.times("a/b", then, then);
        root.owner("a/b", 1000, 2000);

        assertThat(root.xattr("a/b", "trusted.overlay.opaque")).get().isEqualTo(new byte[] {'y'});
        assertThat(root.xattr("a/b", "trusted.absent")).isEmpty();
        assertThat(status("a/b").modified()).isEqualTo(then);
        assertThat(status("a/b").uid()).isEqualTo(1000);
        assertThat(status("a/b").gid()).isEqualTo(2000);
    }

    @Test
    void replacesFilesButNotDirectories() throws Exception {
        write("a", "old");
        root.link("a", "b");
        write("a", "new");
        root.makeDirectory("d", 0755);

        assertThat(top.resolve("b")).hasContent("old");
        assertThatThrownBy(() -> write("d", "x"))
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> assertThat(e.is(Errno.EISDIR)).isTrue());
        root.link("b", "b");
        assertThat(top.resolve("b")).hasContent("old");
    }

    @Test
    void refusesNamesThatTheKernelCannotTake() {
        assertThatThrownBy(() -> write("a\0b", "x"))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("zero byte");
        assertThatThrownBy(() -> write("x".repeat(256), "x"))
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> assertThat(e.is(Errno.ENAMETOOLONG)).isTrue());
        assertThatThrownBy(() -> write("a/".repeat(5000) + "x", "x")).hasMessageContaining("ENAMETOOLONG");
        assertThatThrownBy(() -> write("a/..", "x")).isInstanceOf(ErrnoException.class);
    }

    @Test
    void carriesNamesOfAnyBytes() throws Exception {
        try (RootDirectory bytes = RootDirectory.open(top, StandardCharsets.ISO_8859_1)) {
            bytes.createFile("caf\u00e9", 0644).close();

            assertThat(bytes.list("/")).containsExactly("caf\u00e9");
            bytes.remove("caf\u00e9");
        }
        assertThat(top).isEmptyDirectory();
    }

    @Test
    void removesATreeDeeperThanDescriptorsOrStackAllow() throws Exception {
        root.makeDirectory("deep", 0755);
        // Longer than any path: made from the innermost outwards, by renaming.
        for (int i = 0; i < 700; i++) {
            Files.createDirectory(top.resolve("next"));
            Files.move(top.resolve("deep"), top.resolve("next/deep"));
            Files.writeString(top.resolve("next/file"), "");
            Files.move(top.resolve("next"), top.resolve("deep"));
        }

        assertThat(Trees.usage(top).inodes()).isEqualTo(1402);
        root.remove("deep");

        assertThat(top).isEmptyDirectory();
    }

    @Test
    void unpacksThousandsOfFilesFromAFewDirectories() throws Exception {
        long start = System.nanoTime();
        byte[] content = new byte[2000];
        for (int i = 0; i < 5000; i++) {
            String parent = "usr/share/doc/package-" + i / 20;
            if (i % 20 == 0) {
                root.makeDirectories(parent, 0755);
            }
            try (Fd file = root.createFile(parent + "/file-" + i, 0644)) {
                file.write(content, 0, content.length);
            }
            root.owner(parent + "/file-" + i, 0, 0);
            root.mode(parent + "/file-" + i, 0644);
            root.times(parent + "/file-" + i, Instant.EPOCH, Instant.EPOCH);
        }
        System.err.printf("unpacked 5000 files, %d us each%n", (System.nanoTime() - start) / 5000 / 1000);

        assertThat(Trees.usage(top).inodes()).isEqualTo(1 + 3 + 250 + 5000);
    }

    private void write(String path, String text) {
        try (Fd file = root.createFile(path, 0644)) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            file.write(bytes, 0, bytes.length);
        }
    }

    private FileStatus status(String path) {
        return root.status(path).orElseThrow();
    }

    private static int mode(Path path) throws Exception {
        return (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    }
}
