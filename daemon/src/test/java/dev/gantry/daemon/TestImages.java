package dev.gantry.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.stream.Stream;

/// Makes the folder of images that a node of a test has from its start: those of the distribution, and one of the
/// host's busybox with all its commands.
final class TestImages {

    static final Path BUSYBOX = Path.of("/bin/busybox");

    /// The name of the busybox image. Its user file knows `root` and `tester` (1000).
    static final String NAME = "gantry.test/busybox:latest";

    private TestImages() {}

    /// Fills `folder`, which is made.
    static void make(Path folder) throws IOException {
        Files.createDirectories(folder);
        try (Stream<Path> shipped = Files.list(DistributionRequired.DISTRIBUTION.resolve("share/images"))) {
            for (Path image : shipped.toList()) {
                var _ = ChildProgram.run("cp", "-r", image.toString(), folder.toString());
            }
        }
        Path tree = Files.createDirectories(folder.resolveSibling("busybox-tree"));
        fill(tree);
        new TestLayout(folder.resolve("busybox"))
                .image(NAME, "\"Env\":[\"PATH=/bin\"],\"Cmd\":[\"sh\"]", tree)
                .write();
        var _ = ChildProgram.run("rm", "-r", tree.toString());
    }

    /// Makes the files of the busybox image.
    static void fill(Path tree) throws IOException {
        Path programs = Files.createDirectories(tree.resolve("bin"));
        Files.copy(BUSYBOX, programs.resolve("busybox"));
        Files.setPosixFilePermissions(programs.resolve("busybox"), PosixFilePermissions.fromString("rwxr-xr-x"));
        for (String command :
                ChildProgram.run(BUSYBOX.toString(), "--list").lines().toList()) {
            if (!command.equals("busybox")) {
                Files.createSymbolicLink(programs.resolve(command), Path.of("busybox"));
            }
        }
        Files.createDirectories(tree.resolve("etc"));
        Files.writeString(
                tree.resolve("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000::/tmp:/bin/sh\n");
        Files.writeString(tree.resolve("etc/group"), "root:x:0:\ntester:x:1000:\n");
        Files.createDirectories(tree.resolve("root"));
        Path temporary = Files.createDirectories(tree.resolve("tmp"));
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxrwxrwx"));
    }
}
