package dev.gantry.runtime;

import dev.gantry.image.ArtifactFile;
import dev.gantry.image.Image;
import dev.gantry.sandbox.RuntimeHandler;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The images of the node, as far as containers are made of them.
interface ImageSource {

    /// By tag, digest, id or a prefix of it.
    Optional<Image> find(String reference);

    /// What a spec needs of an image, which messages call by the reference.
    ImageContent content(Image image, RuntimeHandler handler, String reference);

    /// The directories that hold the files of an image, the topmost first; nothing of an artifact.
    List<Path> layers(Image image, String snapshotter);

    /// Where a snapshotter has all its layers.
    Path root(String snapshotter);

    /// The files of an artifact; nothing of an image.
    List<ArtifactFile> files(Image artifact);

    /// Makes a file of an artifact in an existing directory.
    void place(ArtifactFile file, Path target);
}
