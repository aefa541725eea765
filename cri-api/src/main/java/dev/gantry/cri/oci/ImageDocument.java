package dev.gantry.cri.oci;

/// What a name in a registry leads to: one image, or an index of images for several platforms.
public sealed interface ImageDocument permits ImageIndex, ImageManifest {

    /// The media type that the document states, or the one that fits its members if it states none.
    String mediaType();

    /// Reads either kind. A document with both `manifests` and `layers` is refused, for two clients could take two
    /// different images from it, whatever media type it claims.
    ///
    /// @param document how a failure names it, such as `manifest sha256:…`
    /// @throws MalformedDocumentException if it is neither kind, or both
    static ImageDocument parse(byte[] bytes, String document) {
        Members in = Members.of(bytes, document);
        refuseConfusion(in);
        String mediaType = in.text("mediaType");
        boolean index = mediaType.isEmpty() ? in.has("manifests") : MediaTypes.isIndex(mediaType);
        return index ? ImageIndex.read(in) : ImageManifest.read(in);
    }

    /// Refuses what is not one document of one kind in version 2 of the format.
    private static void refuseConfusion(Members in) {
        if (in.has("manifests") && (in.has("layers") || in.has("config"))) {
            throw in.malformed("it has both manifests and layers");
        }
        if (in.has("fsLayers")) {
            throw in.malformed("it is a manifest of Docker's schema 1, which is out of use; push the image again");
        }
        Long version = in.number("schemaVersion");
        if (version == null || version != 2) {
            throw in.malformed("schemaVersion is %s, not 2".formatted(version == null ? "missing" : version));
        }
    }
}
