package dev.gantry.sandbox;

import dev.gantry.image.Image;
import dev.gantry.image.Images;
import java.util.function.Function;

/// The image that every sandbox's first container runs.
///
/// The built-in one needs no registry; another one that the configuration names is pulled when it is not there.
public final class PauseImage {

    private final Images images;
    private final String reference;
    private final Function<String, Image> puller;

    /// @param puller fetches the image of that reference, or fails
    public PauseImage(Images images, String reference, Function<String, Image> puller) {
        this.images = images;
        this.reference = reference;
        this.puller = puller;
    }

    public String reference() {
        return reference;
    }

    Image get() {
        return images.find(reference).orElseGet(() -> puller.apply(reference));
    }
}
