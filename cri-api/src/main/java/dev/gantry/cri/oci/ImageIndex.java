package dev.gantry.cri.oci;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A list of manifests for several platforms: an OCI image index or a Docker manifest list.
///
/// ```json
/// {"schemaVersion": 2, "manifests": [
///   {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:2c1b…", "size": 610,
///    "platform": {"os": "linux", "architecture": "amd64"}}]}
/// ```
public record ImageIndex(String mediaType, List<Descriptor> manifests, Map<String, String> annotations)
        implements ImageDocument {

    public ImageIndex {
        if (!MediaTypes.isIndex(mediaType)) {
            throw new IllegalArgumentException("not the media type of an index: " + mediaType);
        }
        manifests = List.copyOf(manifests);
        annotations = Ordered.copyOf(annotations);
    }

    /// @throws MalformedDocumentException if it is no index
    public static ImageIndex parse(byte[] bytes, String document) {
        return switch (ImageDocument.parse(bytes, document)) {
            case ImageIndex index -> index;
            case ImageManifest _ ->
                throw new MalformedDocumentException(document, "it is the manifest of one image, not an index");
        };
    }

    /// The manifest that suits a machine best. An entry that names no platform is taken if no other suits: its
    /// configuration says what it is for.
    public Optional<Descriptor> choose(Platform machine) {
        Descriptor best = null;
        int preference = -1;
        for (Descriptor manifest : manifests) {
            Platform platform = manifest.platform();
            int suits = platform == null ? 0 : machine.preference(platform).orElse(-1);
            if (suits > preference) {
                best = manifest;
                preference = suits;
            }
        }
        return Optional.ofNullable(best);
    }

    public byte[] toJson() {
        return JsonWriter.document(this, ImageIndex::write);
    }

    static ImageIndex read(Members in) {
        String mediaType = in.text("mediaType");
        if (!in.has("manifests")) {
            throw in.wrong("manifests", "is missing");
        }
        return new ImageIndex(
                mediaType.isEmpty() ? MediaTypes.OCI_INDEX : mediaType,
                in.objects("manifests", Descriptor::read),
                in.map("annotations"));
    }

    private void write(JsonWriter out) {
        out.requiredNumber("schemaVersion", 2)
                .requiredText("mediaType", mediaType)
                .requiredObjects("manifests", manifests, Descriptor::write)
                .map("annotations", annotations);
    }
}
