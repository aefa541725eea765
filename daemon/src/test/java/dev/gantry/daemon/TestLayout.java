package dev.gantry.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Writes an OCI image layout with images and artifacts of a test.
final class TestLayout {

    private static final String ARCHITECTURE = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";

    private final Path layout;
    private final List<String> manifests = new ArrayList<>();

    TestLayout(Path layout) throws IOException {
        this.layout = layout;
        Files.createDirectories(layout.resolve("blobs/sha256"));
    }

    /// @param config members of the image's configuration, such as `"User":"1000"`; may be empty
    /// @param trees  folders with the files of each layer, the lowest first
    TestLayout image(String name, String config, Path... trees) throws IOException {
        List<String> layers = new ArrayList<>();
        for (Path tree : trees) {
            Path layer = layout.resolve("layer.tar");
            var _ = ChildProgram.run(
                    "tar", "--sort=name", "--numeric-owner", "-C", tree.toString(), "-cf", layer.toString(), ".");
            layers.add(blob(layer));
            Files.delete(layer);
        }
        String diffIds = layers.stream().map(it -> '"' + digest(it) + '"').collect(Collectors.joining(","));
        String document = blob("""
            {"architecture":"%s","os":"linux","config":{%s},"rootfs":{"type":"layers","diff_ids":[%s]}}
            """.formatted(ARCHITECTURE, config, diffIds).getBytes(UTF_8));
        return manifest(
                name,
                "application/vnd.oci.image.config.v1+json",
                document,
                layers.stream()
                        .map("{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",%s}"::formatted)
                        .toList());
    }

    /// @param files by the titles that their maker gave them
    TestLayout artifact(String name, Map<String, byte[]> files) throws IOException {
        List<String> blobs = new ArrayList<>();
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            blobs.add("""
                {"mediaType":"application/octet-stream",%s,"annotations":{"org.opencontainers.image.title":"%s"}}
                """.formatted(blob(file.getValue()), file.getKey()));
        }
        return manifest(name, "application/vnd.oci.empty.v1+json", blob("{}".getBytes(UTF_8)), blobs);
    }

    private TestLayout manifest(String name, String configType, String config, List<String> layers) throws IOException {
        String manifest =
                blob("""
                    {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
                     "config":{"mediaType":"%s",%s},"layers":[%s]}
                    """.formatted(configType, config, String.join(",", layers)).getBytes(UTF_8));
        manifests.add("""
            {"mediaType":"application/vnd.oci.image.manifest.v1+json",%s,
             "annotations":{"org.opencontainers.image.ref.name":"%s"}}
            """.formatted(manifest, name));
        return this;
    }

    void write() throws IOException {
        Files.writeString(
                layout.resolve("index.json"),
                "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[%s]}"
                        .formatted(String.join(",", manifests)));
        Files.writeString(layout.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
    }

    /// Stores it; the two members of a descriptor that name it.
    private String blob(byte[] content) throws IOException {
        String hex = HexFormat.of().formatHex(sha256().digest(content));
        Files.write(layout.resolve("blobs/sha256").resolve(hex), content);
        return "\"digest\":\"sha256:%s\",\"size\":%d".formatted(hex, content.length);
    }

    /// As the other, for files that need not fit into memory.
    private String blob(Path file) throws IOException {
        String hex = ChildProgram.run("sha256sum", file.toString()).split(" ", 2)[0];
        Files.copy(file, layout.resolve("blobs/sha256").resolve(hex), StandardCopyOption.REPLACE_EXISTING);
        return "\"digest\":\"sha256:%s\",\"size\":%d".formatted(hex, Files.size(file));
    }

    private static String digest(String blob) {
        return List.of(blob.split("\"", -1)).get(3);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new UncheckedIOException(new IOException(e));
        }
    }
}
