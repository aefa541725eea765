package dev.gantry.daemon;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.ImageIndex;
import dev.gantry.image.Images;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The images that ship with the daemon, so that a node has pods before it has seen a registry: OCI layouts, one folder
/// each. They are pinned.
final class BuiltinImages {

    private static final String NAME = "org.opencontainers.image.ref.name";

    private final Images images;

    BuiltinImages(Images images) {
        this.images = images;
    }

    /// Imports those that are not there as they are shipped, which costs a start nothing once they are.
    void importFrom(Path folder) {
        try (Stream<Path> layouts = Files.list(folder)) {
            for (Path layout : layouts.sorted().toList()) {
                if (!isThere(layout)) {
                    images.importLayout(layout, true);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the images that come with the daemon from " + folder, e);
        }
    }

    private boolean isThere(Path layout) throws IOException {
        Path file = layout.resolve("index.json");
        List<Descriptor> manifests =
                ImageIndex.parse(Files.readAllBytes(file), file.toString()).manifests();
        return manifests.stream().allMatch(this::isThere);
    }

    private boolean isThere(Descriptor manifest) {
        String name = manifest.annotations().getOrDefault(NAME, "");
        return images.find(name)
                .filter(image -> image.pinned() && image.target().equals(manifest.digest()))
                .isPresent();
    }
}
