package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/// Makes the folder of images that a node of a test has from its start: those of the distribution, and one of the
/// host's busybox with all its commands.
final class TestImages {

    static final Path BUSYBOX = Path.of("/bin/busybox");

    /// The name of the busybox image. Its user file knows `root` and `tester` (1000).
    static final String NAME = "gantry.test/busybox:latest";

    private final Path layout;

    private TestImages(Path layout) {
        this.layout = layout;
    }

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
        new TestImages(folder.resolve("busybox")).write(tree);
        var _ = ChildProgram.run("rm", "-r", tree.toString());
    }

    private static void fill(Path tree) throws IOException {
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

    /// As an OCI image layout with one image of one layer.
    private void write(Path tree) throws IOException {
        Files.createDirectories(layout.resolve("blobs/sha256"));
        Path layer = layout.resolve("layer.tar");
        var _ = ChildProgram.run(
                "tar", "--sort=name", "--numeric-owner", "-C", tree.toString(), "-cf", layer.toString(), ".");
        String architecture = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
        String layerBlob = blob(Files.readAllBytes(layer));
        Files.delete(layer);
        String config = blob("""
                {"architecture":"%s","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},
                 "rootfs":{"type":"layers","diff_ids":["%s"]}}
                """.formatted(architecture, digest(layerBlob)).getBytes(UTF_8));
        String manifest = blob("""
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
                 "config":{"mediaType":"application/vnd.oci.image.config.v1+json",%s},
                 "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",%s}]}
                """.formatted(config, layerBlob).getBytes(UTF_8));
        Files.writeString(layout.resolve("index.json"), """
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
                 {"mediaType":"application/vnd.oci.image.manifest.v1+json",%s,
                  "annotations":{"org.opencontainers.image.ref.name":"%s"}}]}
                """.formatted(manifest, NAME));
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    /// Stores it; the two members of a descriptor that name it.
    private String blob(byte[] content) throws IOException {
        String hex = sha256(content);
        Files.write(layout.resolve("blobs/sha256").resolve(hex), content);
        return "\"digest\":\"sha256:%s\",\"size\":%d".formatted(hex, content.length);
    }

    private static String digest(String blob) {
        return List.of(blob.split("\"", -1)).get(3);
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new UncheckedIOException(new IOException(e));
        }
    }
}
