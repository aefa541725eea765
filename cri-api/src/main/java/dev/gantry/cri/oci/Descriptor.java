package dev.gantry.cri.oci;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A reference from one document to a blob: its type, digest and size, and for which platform it is meant.
///
/// ```json
/// {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:6c3c…", "size": 3208942}
/// ```
public record Descriptor(
        String mediaType,
        Digest digest,
        long size,
        List<String> urls,
        Map<String, String> annotations,
        @Nullable Platform platform) {

    public Descriptor {
        if (size < 0) {
            throw new IllegalArgumentException("size of %s is negative: %d".formatted(digest, size));
        }
        urls = List.copyOf(urls);
        annotations = Ordered.copyOf(annotations);
    }

    public Descriptor(String mediaType, Digest digest, long size) {
        this(mediaType, digest, size, List.of(), Map.of(), null);
    }

    /// As a document of its own, of type [MediaTypes#OCI_DESCRIPTOR].
    public byte[] toJson() {
        return JsonWriter.document(this, Descriptor::write);
    }

    static Descriptor read(Members in) {
        long size = in.requiredNumber("size");
        if (size < 0) {
            throw in.wrong("size", "is negative");
        }
        return new Descriptor(
                in.text("mediaType"),
                in.convert("digest", in.requiredText("digest"), Digest::parse),
                size,
                in.texts("urls"),
                in.map("annotations"),
                in.object("platform", Platform::read));
    }

    void write(JsonWriter out) {
        out.text("mediaType", mediaType)
                .requiredText("digest", digest.toString())
                .requiredNumber("size", size)
                .texts("urls", urls)
                .map("annotations", annotations)
                .object("platform", platform, Platform::write);
    }
}
