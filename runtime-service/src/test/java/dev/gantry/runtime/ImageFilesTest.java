package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFilesTest {

    @TempDir
    private Path layer;

    private final ImageFiles files = new ImageFiles();

    private ImageContent image() {
        return TestPods.image(TestPods.nothing(), List.of(layer));
    }

    @Test
    void hasNoUsersWhereTheImageHasNoFiles() {
        assertThat(files.users(image())).isEqualTo(UserDatabase.EMPTY);
    }

    @Test
    void readsThemOncePerImage() throws IOException {
        Files.createDirectory(layer.resolve("etc"));
        Files.writeString(layer.resolve("etc/passwd"), "www:x:33:33::/:\n");
        AtomicInteger reads = new AtomicInteger();
        ImageContent image = new ImageContent("app", TestPods.nothing(), "key", () -> {
            reads.incrementAndGet();
            return List.of(layer);
        });

        assertThat(files.users(image).user("www")).isPresent();
        assertThat(files.users(image).user("www")).isPresent();
        assertThat(reads).hasValue(1);
    }

    @Test
    void forgetsTheImageNotAskedForLongest() {
        AtomicInteger reads = new AtomicInteger();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 40; i++) {
                files.users(new ImageContent("app", TestPods.nothing(), "key-" + i, () -> {
                    reads.incrementAndGet();
                    return List.of(layer);
                }));
            }
        }

        assertThat(reads).hasValue(80);
    }

    @ParameterizedTest
    @ValueSource(strings = {"passwd", "group"})
    void refusesGiantFilesWithoutReadingThem(String name) throws IOException {
        Files.createDirectory(layer.resolve("etc"));
        try (RandomAccessFile giant =
                new RandomAccessFile(layer.resolve("etc").resolve(name).toFile(), "rw")) {
            giant.setLength(1L << 30);
        }

        assertThatThrownBy(() -> files.users(image()))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage(
                        "image example.org/app:1: /etc/%s has 1073741824 bytes, more than the 1048576 that are read",
                        name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dev", "proc", "sys"})
    void refusesLinksWhereTheRuntimeMounts(String name) throws IOException {
        Files.createSymbolicLink(layer.resolve(name), Path.of("/etc"));

        assertThatThrownBy(() -> files.users(image()))
                .isInstanceOf(ContainerException.InvalidRequest.class)
                .hasMessage("image example.org/app:1: /%s is a link, where the runtime would mount", name);
    }
}
