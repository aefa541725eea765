package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageVolumesTest {

    @TempDir
    private Path directory;

    private Path lower;
    private Path upper;
    private ImageVolumes volumes;

    @BeforeEach
    void makePlaces() throws IOException {
        lower = Files.createDirectory(directory.resolve("lower"));
        upper = Files.createDirectory(directory.resolve("upper"));
        volumes = new ImageVolumes(directory.resolve("root"));
    }

    private ImageContent image(String... paths) {
        return TestPods.image(TestPods.withVolumes(paths), List.of(upper, lower));
    }

    private List<ImageVolume> create(ImageContent image) {
        List<ImageVolume> planned = volumes.plan("c1", image, ContainerConfig.getDefaultInstance());
        volumes.create(planned, image);
        return planned;
    }

    @Test
    void areCleanedInsideTheRoot() {
        List<ImageVolume> planned = volumes.plan(
                "c1", image("/data/../../../etc", "/data/", "/data"), ContainerConfig.getDefaultInstance());

        assertThat(planned).extracting(it -> it.path().value()).containsExactly("/data", "/etc");
        assertThat(planned)
                .allSatisfy(it -> assertThat(it.directory())
                        .startsWithRaw(directory.resolve("root/containers/c1/volumes"))
                        .isEqualTo(it.directory().normalize()));
    }

    @Test
    void areNotMadeWhereTheRequestMounts() {
        ContainerConfig config = ContainerConfig.newBuilder()
                .addMounts(Mount.newBuilder().setContainerPath("/data/").setHostPath("/tmp"))
                .build();

        assertThat(volumes.plan("c1", image("/data", "/more"), config))
                .extracting(it -> it.path().value())
                .containsExactly("/more");
    }

    @Test
    void areRefusedWhereTheRuntimeMounts() {
        for (String path : List.of("/", "/proc", "/a/../sys", "/dev/")) {
            assertThatThrownBy(() -> volumes.plan("c1", image(path), ContainerConfig.getDefaultInstance()))
                    .isInstanceOf(ContainerException.InvalidRequest.class)
                    .hasMessageStartingWith("image example.org/app:1 declares ");
        }
    }

    @Test
    void beginWithWhatTheImageHas() throws IOException {
        Files.createDirectories(lower.resolve("data/sub"));
        Files.writeString(lower.resolve("data/sub/a"), "lower");
        Files.writeString(lower.resolve("data/b"), "lower");
        Files.createDirectories(upper.resolve("data"));
        Files.writeString(upper.resolve("data/b"), "upper");
        Files.createSymbolicLink(upper.resolve("data/link"), Path.of("/etc/shadow"));
        Files.setPosixFilePermissions(upper.resolve("data"), PosixFilePermissions.fromString("rwxrwx---"));
        Files.setPosixFilePermissions(upper.resolve("data/b"), PosixFilePermissions.fromString("rw-r-----"));
        Files.setLastModifiedTime(upper.resolve("data/b"), FileTime.from(Instant.ofEpochSecond(1000)));

        Path made = create(image("/data")).getFirst().directory();

        assertThat(made.resolve("sub/a")).hasContent("lower");
        assertThat(made.resolve("b")).hasContent("upper");
        assertThat(Files.readSymbolicLink(made.resolve("link"))).isEqualTo(Path.of("/etc/shadow"));
        assertThat(mode(made)).isEqualTo("rwxrwx---");
        assertThat(mode(made.resolve("b"))).isEqualTo("rw-r-----");
        assertThat(Files.getLastModifiedTime(made.resolve("b")).toInstant()).isEqualTo(Instant.ofEpochSecond(1000));
    }

    @Test
    void copyNothingFromOutsideTheImage() throws IOException {
        Files.createDirectories(directory.resolve("secret"));
        Files.writeString(directory.resolve("secret/key"), "of the host");
        Files.createSymbolicLink(upper.resolve("data"), directory.resolve("secret"));
        Files.createSymbolicLink(upper.resolve("more"), Path.of("../secret"));

        for (ImageVolume volume : create(image("/data", "/more"))) {
            assertThat(volume.directory()).isEmptyDirectory();
        }
    }

    @Test
    void areEmptyWhereTheImageHasNothing() throws IOException {
        Path made = create(image("/data")).getFirst().directory();

        assertThat(made).isEmptyDirectory();
        assertThat(mode(made)).isEqualTo("rwxr-xr-x");
    }

    @Test
    void canBeMadeAgainAndDeletedTwice() throws IOException {
        Files.createDirectories(upper.resolve("data/sub"));
        Files.writeString(upper.resolve("data/sub/a"), "x");
        ImageContent image = image("/data");

        create(image);
        create(image);
        volumes.delete("c1");
        volumes.delete("c1");

        assertThat(volumes.directory("c1")).doesNotExist();
    }

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
    }
}
