package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PullIT {

    @TempDir
    private Path directory;

    @Test
    void pullsAnImageFromARealRegistry() throws Exception {
        try (LocalRegistry registry = LocalRegistry.start(directory);
                RegistryClient client = new RegistryClient(registry.host());
                TestNode node = new TestNode(directory.resolve("node"))) {
            TestImage pushed = TestImage.of(
                    new TestLayer()
                            .directory("etc", 0755)
                            .file("etc/motd", "hello")
                            .gzip(),
                    new TestLayer()
                            .directory("etc", 0755)
                            .file("etc/hostname", "box")
                            .zstd());
            client.push("a/b", "1", pushed);

            Image image = node.pull(registry.host() + "/a/b:1");

            assertThat(image.id()).isEqualTo(pushed.id());
            assertThat(image.tags()).containsExactly(registry.host() + "/a/b:1");
            assertThat(image.digests()).containsExactly(registry.host() + "/a/b@" + pushed.digest());
            assertThat(Files.readString(node.topLayer(image).resolve("etc/hostname")))
                    .isEqualTo("box");
            assertThat(node.overlay.chain(image.chainId().toString())).hasSize(2);
            assertThat(node.leases.list()).isEmpty();
        }
    }
}
