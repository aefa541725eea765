package dev.gantry.shim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gantry.linux.Mount;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// With our own shim, as the build leaves it: the static release binary.
class GantryShimIT extends ShimContract {

    private static final Path BINARY =
            Path.of("target/containerd-shim-gantry-v1").toAbsolutePath();

    @Override
    Path binary() {
        return built();
    }

    /// The binary that is shipped, or the test is skipped with a reason.
    static Path built() {
        Requirements.check();
        assumeTrue(Files.isExecutable(BINARY), "not built: " + BINARY);
        return BINARY;
    }

    @Override
    public int version() {
        return 3;
    }

    @Override
    public void describesItself(Optional<ShimInfo> info) {
        assertThat(info).isPresent();
        assertThat(info.orElseThrow().name()).isEqualTo("io.containerd.gantry.v1");
        assertThat(info.orElseThrow().version()).isNotEmpty();
        assertThat(info.orElseThrow().features().orElseThrow()).contains("\"ociVersionMin\"");
    }

    @Test
    void killsAPausedContainer() throws Exception {
        ShimNode.Container container = node.running("a", "/bin/sleep", "1000");
        container.shim.pause("a");

        container.shim.kill("a", Optional.empty(), 9, true);

        assertThat(container.await().status()).isEqualTo(137);
    }

    @Test
    void isNotEndedByTheSignalsThatEndADaemonAndAllItStarted() throws Exception {
        ShimNode.Container container = node.running("a", "/bin/sleep", "1000");
        for (String signal : List.of("TERM", "HUP", "INT", "PIPE")) {
            assertThat(new ProcessBuilder("kill", "-" + signal, Long.toString(container.shim.shimPid()))
                            .start()
                            .waitFor())
                    .isZero();
        }

        assertThat(container.shim.state("a", Optional.empty()).status()).isEqualTo(TaskStatus.RUNNING);
        assertThat(container.remove().status()).isEqualTo(137);
    }

    @Test
    void letsNobodyElseIn() throws Exception {
        ShimNode.Container container = node.running("a", "/bin/sleep", "1000");
        Path socket = sockets(container.shim.shimPid()).stream()
                .filter(it -> it.getFileName().toString().startsWith("g"))
                .findFirst()
                .orElseThrow();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.getParent())))
                .isEqualTo("rwx------");
    }

    @Test
    void readsAFileOfAContainerWithinItsRoot() throws Exception {
        Path root = Files.createDirectory(node.directory().resolve("root"));
        Files.writeString(Files.createDirectory(root.resolve("etc")).resolve("passwd"), "root:x:0:0\n");
        Files.createSymbolicLink(root.resolve("within"), Path.of("../../../etc/passwd"));
        Files.createSymbolicLink(root.resolve("outside"), node.directory().resolve("secret"));
        Files.writeString(node.directory().resolve("secret"), "secret");

        assertThat(read(root, "within")).isEqualTo("0 root:x:0:0\n");
        assertThat(read(root, "outside"))
                .startsWith("1 ")
                .contains("No such file")
                .doesNotContain("secret");
        assertThat(read(root, "etc")).startsWith("1 ").contains("Invalid argument");
    }

    private String read(Path root, String file) throws Exception {
        Process reader = new ProcessBuilder(binary().toString(), "read", root.toString(), file)
                .redirectErrorStream(true)
                .start();
        String output = new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return reader.waitFor() + " " + output;
    }

    /// The named sockets that a process has open.
    private static List<Path> sockets(long pid) throws IOException {
        Set<String> inodes = new HashSet<>();
        try (var descriptors = Files.list(Path.of("/proc", Long.toString(pid), "fd"))) {
            for (Path descriptor : descriptors.toList()) {
                inodes.add(Files.readSymbolicLink(descriptor).toString());
            }
        }
        return Files.readAllLines(Path.of("/proc/net/unix")).stream()
                .map(line -> line.trim().split("\\s+"))
                .filter(words -> words.length == 8 && inodes.contains("socket:[" + words[6] + "]"))
                .map(words -> Path.of(words[7]))
                .toList();
    }

    @Test
    void mapsTheOwnersOfLayersWhereTheMountAsksForIt() throws Exception {
        ShimNode.Container container = node.container("a", "/bin/busybox", "sh", "-c", "stat -c '%u %g' /bin/busybox");
        Path second = Files.createDirectory(node.directory().resolve("second"));
        Mount root = new Mount(
                "overlay",
                "overlay",
                Path.of(""),
                List.of("lowerdir=" + second + ":" + node.image(), "uidmap=0:100000:65536", "gidmap=0:200000:65536"));

        container.create(container.fifos.stdio(), root);
        container.start();

        assertThat(container.await().status()).isZero();
        container.fifos.drained().get(10, TimeUnit.SECONDS);
        assertThat(container.out.text()).startsWith("100000 200000\n");
        assertThat(Files.exists(container.bundle.directory().resolve(".idmap"))).isFalse();
    }
}
