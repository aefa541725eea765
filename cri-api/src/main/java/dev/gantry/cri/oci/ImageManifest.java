package dev.gantry.cri.oci;

import java.util.List;
import java.util.Map;

/// One image for one platform: its configuration, and its layers from the lowest to the topmost.
///
/// ```json
/// {"schemaVersion": 2,
///  "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:91ef…", "size": 575},
///  "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:6c3c…", "size": 3208}]}
/// ```
public record ImageManifest(
        String mediaType, Descriptor config, List<Descriptor> layers, Map<String, String> annotations)
        implements ImageDocument {

    public ImageManifest {
        if (!MediaTypes.isManifest(mediaType)) {
            throw new IllegalArgumentException("not the media type of an image manifest: " + mediaType);
        }
        layers = List.copyOf(layers);
        annotations = Ordered.copyOf(annotations);
    }

    /// @throws MalformedDocumentException if it is no manifest of an image
    public static ImageManifest parse(byte[] bytes, String document) {
        return switch (ImageDocument.parse(bytes, document)) {
            case ImageManifest manifest -> manifest;
            case ImageIndex _ ->
                throw new MalformedDocumentException(document, "it is an index, not the manifest of one image");
        };
    }

    public byte[] toJson() {
        return JsonWriter.document(this, ImageManifest::write);
    }

    static ImageManifest read(Members in) {
        String mediaType = in.text("mediaType");
        if (!mediaType.isEmpty() && !MediaTypes.isManifest(mediaType)) {
            throw in.malformed("its media type is neither that of an image nor of an index: " + mediaType);
        }
        if (!in.has("layers")) {
            throw in.wrong("layers", "is missing");
        }
        return new ImageManifest(
                mediaType.isEmpty() ? MediaTypes.OCI_MANIFEST : mediaType,
                in.requiredObject("config", Descriptor::read),
                in.objects("layers", Descriptor::read),
                in.map("annotations"));
    }

    private void write(JsonWriter out) {
        out.requiredNumber("schemaVersion", 2)
                .requiredText("mediaType", mediaType)
                .object("config", config, Descriptor::write)
                .requiredObjects("layers", layers, Descriptor::write)
                .map("annotations", annotations);
    }
}
