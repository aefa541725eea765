package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What works on plain files and without root: whole files, trees, locks, processes, facts.
class FilesTest {

    @TempDir
    private Path directory;

    @Test
    void replacesAFileWholeWithItsMode() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "old and longer");

        AtomicFile.write(file, "new".getBytes(StandardCharsets.US_ASCII), 0604);

        assertThat(file).hasContent("new");
        assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw----r--"));
        assertThat(directory).isDirectoryNotContaining("glob:**tmp*");
    }

    @Test
    void leavesTheOldFileAndNothingElseWhenItFails() throws Exception {
        Path target = Files.createDirectory(directory.resolve("file"));

        assertThatThrownBy(() -> AtomicFile.write(target, new byte[1], 0600))
                .isInstanceOf(ErrnoException.class)
                .hasMessageStartingWith("cannot replace " + target);

        assertThat(directory.toFile().list()).containsExactly("file");
    }

    @Test
    void deletesATreeWithoutFollowingItsLinks() throws Exception {
        Path kept = Files.writeString(directory.resolve("kept"), "x");
        Path tree = Files.createDirectories(directory.resolve("tree/a/b"));
        Files.createSymbolicLink(tree.resolve("file"), kept);
        Files.createSymbolicLink(tree.resolve("directory"), directory);

        Trees.delete(directory.resolve("tree"));
        Trees.delete(directory.resolve("tree"));
        Trees.delete(directory.resolve("absent/below"));

        assertThat(directory.toFile().list()).containsExactly("kept");
    }

    @Test
    void countsAFileOnceHoweverManyNamesItHas() throws Exception {
        Path file = Files.write(directory.resolve("a"), new byte[100_000]);
        Files.createLink(directory.resolve("b"), file);
        Files.createSymbolicLink(directory.resolve("c"), file);

        Usage usage = Trees.usage(directory);

        assertThat(usage.inodes()).isEqualTo(3);
        assertThat(usage.bytes()).isBetween(100_000L, 180_000L);
        assertThat(Trees.usage(directory.resolve("absent"))).isEqualTo(Usage.NONE);
    }

    @Test
    void letsOneHolderHaveALock() {
        Path path = directory.resolve("lock");
        try (LockFile _ = LockFile.tryLock(path).orElseThrow()) {
            assertThat(LockFile.tryLock(path)).isEmpty();
            assertThat(LockFile.holder(path)).contains(HostFacts.pid());
        }

        Optional<LockFile> again = LockFile.tryLock(path);

        assertThat(again).isPresent();
        again.orElseThrow().close();
    }

    @Test
    void waitsForAProcessAndSignalsIt() throws Exception {
        Process sleeping = new ProcessBuilder("sleep", "60").start();
        try (PidFd process = PidFd.open((int) sleeping.pid())) {
            assertThat(process.await(Duration.ofMillis(50))).isFalse();
            assertThat(process.signal(Signals.KILL)).isTrue();
            assertThat(process.await(Duration.ofSeconds(10))).isTrue();
            sleeping.waitFor();
            assertThat(process.signal(0)).isFalse();
        }
        assertThat(PidFd.find((int) sleeping.pid())).isEmpty();
    }

    @Test
    void knowsTheHost() throws Exception {
        assertThat(HostFacts.bootId()).matches("[0-9a-f-]{36}");
        assertThat(HostFacts.kernel().atLeast(4, 0)).isTrue();
        assertThat(HostFacts.kernel().atLeast(99, 0)).isFalse();
        assertThat(KernelVersion.parse("6.1.0-44-amd64")).isEqualTo(new KernelVersion(6, 1, "6.1.0-44-amd64"));
        assertThat(FileSystems.statfs(directory).totalBytes())
                .isEqualTo(Files.getFileStore(directory).getTotalSpace());
    }

    @Test
    void closesADescriptorOnce() throws Exception {
        Fd fd = new Fd(Kernel.open(directory, Kernel.O_RDONLY, 0), directory);

        fd.close();
        fd.close();

        assertThatThrownBy(fd::value).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
    }

    @Test
    void splitsLowerDirectoriesAtUnescapedColons() {
        assertThat(OverlayMount.split("/a:/b\\:c:/d\\\\e")).containsExactly("/a", "/b:c", "/d\\e");
    }

    @Test
    void findsACgroupInTheTableOfAProcess() {
        String table = "8:cpu,cpuacct:/a\n4:memory:/b/c\n1:name=systemd:/d\n0::/e:f\n";

        assertThat(Cgroups.pathIn(table, "cpuacct", Cgroups.Version.V1)).contains("/a");
        assertThat(Cgroups.pathIn(table, "memory", Cgroups.Version.V1)).contains("/b/c");
        assertThat(Cgroups.pathIn(table, "memory", Cgroups.Version.V2)).contains("/e:f");
        assertThat(Cgroups.pathIn(table, "pids", Cgroups.Version.V1)).isEmpty();
    }

    @Test
    void refusesCgroupPathsThatAreTheRootOrClimb() {
        Cgroups cgroups = Cgroups.host();
        for (String path : new String[] {"", "/", "/..", "/a/../..", "/a/../b", "."}) {
            assertThatThrownBy(() -> cgroups.remove(path)).as(path).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
