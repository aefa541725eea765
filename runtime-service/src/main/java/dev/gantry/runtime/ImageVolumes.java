package dev.gantry.runtime;

import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.linux.RootDirectory;
import dev.gantry.linux.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The volumes that images declare. Each container gets its own, which begins with what the image has there and goes
/// with the container.
///
///     <root>/containers/<id>/volumes/<hash of the path>
final class ImageVolumes {

    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    /// The runtime mounts there itself.
    private static final Set<String> RESERVED = Set.of("/", "/dev", "/proc", "/sys");

    private final Path containers;

    /// @param root the daemon's directory that survives a reboot
    ImageVolumes(Path root) {
        this.containers = root.resolve("containers");
    }

    /// Where files of the container lie that are neither its snapshot nor its bundle.
    Path directory(String id) {
        return containers.resolve(id);
    }

    /// Says which volumes the container gets; nothing is made yet. What the request mounts, it gets from there.
    ///
    /// @throws ContainerException.InvalidRequest when the image declares what cannot be
    List<ImageVolume> plan(String id, ImageContent image, ContainerConfig config) {
        Set<ContainerPath> mounted = config.getMountsList().stream()
                .map(ContainerMounts::destination)
                .collect(Collectors.toSet());
        Set<ContainerPath> paths = new TreeSet<>();
        for (String volume : image.config().volumes()) {
            // Cleaning keeps "../../etc" inside the root (CVE-2022-23648).
            ContainerPath path = ContainerPath.of("volume of image " + image.name(), volume);
            if (RESERVED.contains(path.value())) {
                throw new ContainerException.InvalidRequest(
                        "image %s declares %s as a volume".formatted(image.name(), path));
            }
            paths.add(path);
        }
        paths.removeAll(mounted);
        return paths.stream().map(it -> new ImageVolume(it, place(id, it))).toList();
    }

    /// Makes the volumes and fills them from the image. A failure leaves what [#delete] takes away.
    void create(List<ImageVolume> volumes, ImageContent image) {
        if (volumes.isEmpty()) {
            return;
        }
        try (ImageTree tree = ImageTree.open(image.layers().get())) {
            for (ImageVolume volume : volumes) {
                create(volume, tree);
            }
        }
    }

    /// Deletes the container's folder; one that is not there is fine.
    void delete(String id) {
        if (Files.exists(directory(id))) {
            Trees.delete(directory(id));
        }
    }

    private Path place(String id, ContainerPath path) {
        return directory(id)
                .resolve("volumes")
                .resolve(
                        Digest.of(path.value().getBytes(StandardCharsets.UTF_8)).hex());
    }

    private static void create(ImageVolume volume, ImageTree tree) {
        Path parent = Objects.requireNonNull(volume.directory().getParent());
        Path name = Objects.requireNonNull(volume.directory().getFileName());
        try {
            Files.createDirectories(parent, PRIVATE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make " + parent + " for volume " + volume.path(), e);
        }
        try (RootDirectory target = RootDirectory.open(parent, ImageTree.NAMES)) {
            new ImageCopy(tree, target).copy(volume.path(), name.toString());
        }
    }
}
