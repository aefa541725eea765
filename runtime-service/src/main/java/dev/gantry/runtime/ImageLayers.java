package dev.gantry.runtime;

import dev.gantry.image.ArtifactFile;
import dev.gantry.image.Image;
import dev.gantry.image.Images;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.Snapshotters;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Finds the directories that hold the files of an image.
final class ImageLayers implements ImageSource {

    private final Images images;
    private final Snapshotters snapshotters;

    ImageLayers(Images images, Snapshotters snapshotters) {
        this.images = images;
        this.snapshotters = snapshotters;
    }

    @Override
    public Optional<Image> find(String reference) {
        return images.find(reference);
    }

    @Override
    public ImageContent content(Image image, RuntimeHandler handler, String reference) {
        return new ImageContent(
                reference,
                images.config(image).config(),
                handler.snapshotter() + "/" + image.chainId(),
                () -> layers(image, handler.snapshotter()));
    }

    @Override
    public List<Path> layers(Image image, String snapshotter) {
        return topDown(image, snapshotters.get(snapshotter));
    }

    @Override
    public Path root(String snapshotter) {
        return snapshotters.get(snapshotter).root();
    }

    @Override
    public List<ArtifactFile> files(Image artifact) {
        return images.artifactFiles(artifact);
    }

    @Override
    public void place(ArtifactFile file, Path target) {
        images.place(file, target);
    }

    /// Where a layer's directory holds the whole tree, the topmost is all there is to look at.
    private List<Path> topDown(Image image, Snapshotter snapshotter) {
        Optional<String> top = images.rootSnapshot(image, snapshotter);
        List<String> chain = snapshotter.layersIndependent()
                ? top.map(snapshotter::chain).orElse(List.of())
                : top.stream().toList();
        return chain.stream().map(snapshotter::layerDirectory).toList();
    }
}
