package dev.gantry.runtime;

import dev.gantry.image.Image;
import java.nio.file.Path;

/// An image that a container shall have as a volume (CRI `Mount.image`).
///
/// @param path    where the container sees it
/// @param place   where the daemon mounts it, for the OCI runtime to take it from there
/// @param content of an artifact, where its files are put before; of an image, nothing lies there
/// @param source  what of it the container sees: the place itself, or a folder or file in it
record ImageMount(ContainerPath path, Image image, Path place, Path content, Path source) {

    String reference() {
        return image.digests().stream().findFirst().orElse(image.id().toString());
    }

    MountedImage stored() {
        return new MountedImage(
                path.value(),
                image.id().toString(),
                reference(),
                image.manifest().toString(),
                image.diffIds().isEmpty() ? "" : image.chainId().toString());
    }
}
