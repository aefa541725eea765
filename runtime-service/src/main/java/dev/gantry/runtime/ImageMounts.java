package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.image.ArtifactFile;
import dev.gantry.image.Image;
import dev.gantry.image.ImageException;
import dev.gantry.linux.FileStatus;
import dev.gantry.linux.Mounts;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.Selinux;
import dev.gantry.storage.IdShift;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// Images and artifacts as volumes of containers (CRI `Mount.image`).
///
/// Each is mounted in the container's bundle, so that it goes with the bundle, whoever made that; nothing is copied. As
/// an overlay without an upper layer it cannot be made writable, not even by a container that may mount: a bind mount
/// of the layers could, and would change the image of everybody.
///
///     <bundle>/images/<n>                     where it is mounted
///     <root>/containers/<id>/artifacts/<n>    the files of an artifact: further names of the blobs
final class ImageMounts {

    private static final Set<PosixFilePermission> READABLE = PosixFilePermissions.fromString("rwxr-xr-x");
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final ImageSource images;
    private final SandboxPlaces places;

    ImageMounts(ImageSource images, SandboxPlaces places) {
        this.images = images;
        this.places = places;
    }

    /// Whether the request wants an image there and not a path of the host.
    static boolean isWanted(Mount mount) {
        return mount.hasImage() && !mount.getImage().getImage().isEmpty();
    }

    /// Says what the container gets for which mount; nothing is made yet.
    ///
    /// @throws ContainerException.ImageVolumeFailed when it cannot be
    Map<Mount, ImageMount> plan(String id, ContainerConfig config, Sandbox sandbox, RuntimeHandler handler) {
        Map<Mount, ImageMount> planned = new LinkedHashMap<>();
        for (Mount mount : config.getMountsList()) {
            if (isWanted(mount) && !planned.containsKey(mount)) {
                planned.put(mount, plan(id, mount, planned.size(), sandbox, handler));
            }
        }
        return planned;
    }

    private ImageMount plan(String id, Mount mount, int number, Sandbox sandbox, RuntimeHandler handler) {
        ContainerPath path = ContainerMounts.destination(mount);
        String reference = mount.getImage().getImage();
        try {
            check(mount, sandbox);
            Image image = images.find(reference).orElseThrow(() -> new ImageException.NotFound(reference));
            Path place = places.bundle(id).resolve("images").resolve(Integer.toString(number));
            Path content = places.root()
                    .resolve("containers")
                    .resolve(id)
                    .resolve("artifacts")
                    .resolve(Integer.toString(number));
            String inside = image.artifact()
                    ? inArtifact(mount.getImageSubPath(), images.files(image))
                    : inImage(mount.getImageSubPath(), images.layers(image, handler.snapshotter()));
            return new ImageMount(path, image, place, content, place.resolve(inside));
        } catch (RuntimeException e) {
            throw new ContainerException.ImageVolumeFailed(reference, path.value(), e);
        }
    }

    private static void check(Mount mount, Sandbox sandbox) {
        refuse(!mount.getHostPath().isEmpty(), "it has a host path too: %s".formatted(mount.getHostPath()));
        refuse(!mount.getReadonly(), "it is not read-only");
        BindMount.added(mount, ContainerMounts.destination(mount));
        boolean mapped = mount.getUidMappingsCount() + mount.getGidMappingsCount() > 0;
        boolean own = sandbox.config().namespaces().users().isPresent();
        refuse(mapped && !own, "it has id mappings, and those of an image are the pod's, which has none");
        refuse(
                mount.getPropagationValue() != 0,
                "it is to propagate mounts (%s), and there are none in an image".formatted(mount.getPropagation()));
    }

    private static void refuse(boolean condition, String why) {
        if (condition) {
            throw new ContainerException.InvalidRequest(why);
        }
    }

    /// The folder or file that a sub path means, links of the image followed inside of it; as there are no links left,
    /// and layers do not change, it means the same later.
    private static String inImage(String subPath, List<Path> layers) {
        if (subPath.isEmpty()) {
            return "";
        }
        checkText(subPath);
        try (ImageTree tree = ImageTree.open(layers)) {
            ImageTree.Entry entry =
                    tree.find(ContainerPath.clean("/" + subPath)).orElseThrow(() -> missing(subPath));
            FileStatus status = entry.status();
            refuse(
                    !status.isDirectory() && !status.isRegular(),
                    "sub path %s is neither a folder nor a file".formatted(subPath));
            String path = new String(entry.path().getBytes(ImageTree.NAMES), StandardCharsets.UTF_8);
            refuse(path.indexOf('\uFFFD') >= 0, "sub path %s leads to a name that is not UTF-8".formatted(subPath));
            return path;
        }
    }

    private static String inArtifact(String subPath, List<ArtifactFile> files) {
        if (subPath.isEmpty()) {
            return "";
        }
        checkText(subPath);
        String path = ContainerPath.clean("/" + subPath).value().substring(1);
        boolean found = path.isEmpty()
                || files.stream()
                        .anyMatch(it -> it.path().equals(path) || it.path().startsWith(path + "/"));
        if (!found) {
            throw missing(subPath);
        }
        return path;
    }

    private static void checkText(String subPath) {
        boolean climbs = List.of(subPath.split("/", -1)).contains("..");
        refuse(
                subPath.startsWith("/") || subPath.indexOf('\0') >= 0 || climbs,
                "sub path \"%s\" is no relative path without ..".formatted(subPath.replace('\0', '?')));
    }

    private static ContainerException missing(String subPath) {
        return new ContainerException.InvalidRequest("it has no %s".formatted(subPath));
    }

    /// Mounts what was planned; the bundle is there. A failure leaves what goes with the bundle and
    /// [ImageVolumes#delete].
    ///
    /// @param shift how the pod sees the layers
    /// @param label of the files for SELinux; empty for none
    void make(List<ImageMount> planned, String snapshotter, Optional<IdShift> shift, String label) {
        for (ImageMount mount : planned) {
            try {
                Files.createDirectories(mount.place());
                List<Path> layers = layers(mount, snapshotter, shift);
                if (!layers.isEmpty()) { // else the place, which is empty, shows all there is
                    Mounts.mount(overlay(layers, mount.place(), label), mount.place());
                }
            } catch (IOException e) {
                throw failed(mount, new UncheckedIOException("cannot make " + mount.place(), e));
            } catch (RuntimeException e) {
                throw failed(mount, e);
            }
        }
    }

    private static ContainerException failed(ImageMount mount, RuntimeException cause) {
        return new ContainerException.ImageVolumeFailed(
                mount.reference(), mount.path().value(), cause);
    }

    private List<Path> layers(ImageMount mount, String snapshotter, Optional<IdShift> shift) throws IOException {
        if (!mount.image().artifact()) {
            Path root = images.root(snapshotter);
            return images.layers(mount.image(), snapshotter).stream()
                    .map(it -> shift.isPresent() ? shift.get().root().resolve(root.relativize(it)) : it)
                    .toList();
        }
        Files.createDirectories(Objects.requireNonNull(mount.content().getParent()), PRIVATE);
        makeReadable(mount.content());
        for (ArtifactFile file : images.files(mount.image())) {
            Path path = Path.of(file.path());
            for (int depth = 1; depth < path.getNameCount(); depth++) {
                makeReadable(mount.content().resolve(path.subpath(0, depth)));
            }
            images.place(file, mount.content().resolve(path));
        }
        return List.of(mount.content());
    }

    /// Whatever the daemon's umask is: any user of the container may look into it.
    private static void makeReadable(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            Files.createDirectory(folder);
            Files.setPosixFilePermissions(folder, READABLE);
        }
    }

    /// The mount point itself, which is empty, lies below all: overlayfs wants two layers where none can be written.
    private static dev.gantry.linux.Mount overlay(List<Path> layers, Path empty, String label) {
        List<Path> lower = new ArrayList<>(layers);
        lower.add(empty);
        String directories = String.join(":", lower.stream().map(Path::toString).toList());
        return new dev.gantry.linux.Mount(
                "overlay",
                "overlay",
                Path.of(""),
                Selinux.with(List.of("ro", "nosuid", "nodev", "lowerdir=" + directories), label));
    }
}
