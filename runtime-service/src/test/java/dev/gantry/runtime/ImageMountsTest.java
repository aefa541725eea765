package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.IDMapping;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.MountPropagation;
import dev.gantry.image.ArtifactFile;
import dev.gantry.image.Image;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.shim.RuncOptions;
import dev.gantry.shim.ShimBinary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageMountsTest {

    private static final Digest LAYER = digest("layer");
    private static final RuncOptions OPTIONS = new RuncOptions(Path.of("/run/x"), Path.of("runc"), false);
    private static final RuntimeHandler HANDLER = new RuntimeHandler(
            "runc", new ShimBinary(Path.of("/bin/shim"), Optional.of(OPTIONS)), OPTIONS, "overlayfs");

    @TempDir
    private Path directory;

    private ImageMounts mounts;
    private Path layer;

    private static Digest digest(String text) {
        return Digest.of(text.getBytes(StandardCharsets.UTF_8));
    }

    private static Image image(String name, boolean artifact) {
        List<Digest> layers = artifact ? List.of() : List.of(LAYER);
        return new Image(
                digest(name),
                digest("manifest of " + name),
                digest("manifest of " + name),
                List.of(name),
                List.of("r/" + name + "@x"),
                1,
                layers,
                Instant.EPOCH,
                false,
                "",
                artifact);
    }

    @BeforeEach
    void makeImages() throws IOException {
        layer = Files.createDirectories(directory.resolve("layer"));
        Files.createDirectories(layer.resolve("etc/app"));
        Files.writeString(layer.resolve("etc/app/config"), "x");
        Files.createSymbolicLink(layer.resolve("current"), Path.of("/etc/../etc/app"));
        Files.createSymbolicLink(layer.resolve("loop"), Path.of("loop"));
        ImageSource source = new ImageSource() {

            @Override
            public Optional<Image> find(String reference) {
                return switch (reference) {
                    case "image" -> Optional.of(image("image", false));
                    case "artifact" -> Optional.of(image("artifact", true));
                    default -> Optional.empty();
                };
            }

            @Override
            public ImageContent content(Image image, RuntimeHandler handler, String reference) {
                throw new AssertionError("nothing is run");
            }

            @Override
            public List<Path> layers(Image image, String snapshotter) {
                return List.of(layer);
            }

            @Override
            public Path root(String snapshotter) {
                return directory;
            }

            @Override
            public List<ArtifactFile> files(Image artifact) {
                Descriptor blob = new Descriptor("application/octet-stream", LAYER, 1);
                return List.of(new ArtifactFile("weights/model.bin", blob), new ArtifactFile("README", blob));
            }

            @Override
            public void place(ArtifactFile file, Path target) {
                throw new AssertionError("nothing is made");
            }
        };
        mounts = new ImageMounts(
                source, new SandboxPlaces(directory.resolve("root"), directory.resolve("state"), directory));
    }

    private static Mount.Builder mount(String image) {
        return Mount.newBuilder()
                .setContainerPath("/volume")
                .setReadonly(true)
                .setImage(ImageSpec.newBuilder().setImage(image));
    }

    private ImageMount plan(Mount.Builder mount) {
        ContainerConfig config = ContainerConfig.newBuilder().addMounts(mount).build();
        return mounts.plan("c1", config, TestPods.sandbox(), HANDLER)
                .values()
                .iterator()
                .next();
    }

    private Path place() {
        return directory.resolve("state/tasks/c1/images/0");
    }

    @Test
    void lieInTheBundle() {
        ImageMount planned = plan(mount("image"));

        assertThat(planned.place()).isEqualTo(place());
        assertThat(planned.source()).isEqualTo(place());
        assertThat(planned.stored())
                .isEqualTo(new MountedImage(
                        "/volume",
                        digest("image").toString(),
                        "r/image@x",
                        digest("manifest of image").toString(),
                        LAYER.toString()));
    }

    @Test
    void subPathsAreResolvedInsideTheImage() {
        assertThat(plan(mount("image").setImageSubPath("etc/./app")).source()).isEqualTo(place().resolve("etc/app"));
        assertThat(plan(mount("image").setImageSubPath("current")).source()).isEqualTo(place().resolve("etc/app"));
        assertThat(plan(mount("image").setImageSubPath("current/config")).source())
                .isEqualTo(place().resolve("etc/app/config"));
    }

    @Test
    void subPathsOfArtifactsAreTheirFoldersAndFiles() {
        assertThat(plan(mount("artifact").setImageSubPath("weights")).source()).isEqualTo(place().resolve("weights"));
        assertThat(plan(mount("artifact").setImageSubPath("weights/model.bin")).source())
                .isEqualTo(place().resolve("weights/model.bin"));
        assertRefused(mount("artifact").setImageSubPath("weigh"), "it has no weigh");
    }

    @Test
    void anotherMountOfTheSameImageIsAnother() {
        ContainerConfig config = ContainerConfig.newBuilder()
                .addMounts(mount("image"))
                .addMounts(mount("image").setContainerPath("/other"))
                .addMounts(Mount.newBuilder().setContainerPath("/host").setHostPath("/tmp"))
                .build();

        assertThat(mounts.plan("c1", config, TestPods.sandbox(), HANDLER).values())
                .extracting(ImageMount::place)
                .containsExactly(place(), place().resolveSibling("1"));
    }

    @Test
    void areRefusedWithTheKubeletsWord() {
        assertRefused(mount("none"), "image none not found");
        assertRefused(mount("image").setReadonly(false), "it is not read-only");
        assertRefused(mount("image").setHostPath("/etc"), "it has a host path too: /etc");
        assertRefused(
                mount("image").setPropagation(MountPropagation.PROPAGATION_BIDIRECTIONAL),
                "it is to propagate mounts (PROPAGATION_BIDIRECTIONAL)");
        assertRefused(mount("image").addMountOptions("suid"), "has mount option \"suid\"");
        assertRefused(mount("image").addUidMappings(IDMapping.getDefaultInstance()), "it has id mappings");
        assertRefused(mount("image").setImageSubPath("none"), "it has no none");
        assertRefused(mount("image").setImageSubPath("../etc"), "sub path \"../etc\" is no relative path");
        assertRefused(mount("image").setImageSubPath("/etc"), "sub path \"/etc\" is no relative path");
        assertRefused(mount("image").setImageSubPath("loop"), "too many links on the way to /loop");
    }

    private void assertRefused(Mount.Builder mount, String why) {
        assertThatThrownBy(() -> plan(mount))
                .isInstanceOf(ContainerException.ImageVolumeFailed.class)
                .hasMessageStartingWith("ImageVolumeMountFailed: cannot mount image ")
                .hasMessageContaining(why);
    }
}
