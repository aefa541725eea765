package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.cri.oci.ImageManifest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An artifact that a name led to: a manifest whose blobs are files, not layers. The blobs may be anywhere yet.
record ResolvedArtifact(
        Reference reference,
        Digest target,
        Descriptor manifestDescriptor,
        ImageManifest manifest,
        Optional<String> tag,
        List<String> digests)
        implements Resolved {

    ResolvedArtifact {
        digests = List.copyOf(digests);
        ArtifactFile.of(manifest, reference.toString()); // refuses now what could not be used later
    }

    /// Everything that the manifest names, each once.
    List<Descriptor> blobs() {
        List<Descriptor> blobs = new ArrayList<>(List.of(manifest.config()));
        for (Descriptor blob : manifest.layers()) {
            if (blobs.stream().noneMatch(it -> it.digest().equals(blob.digest()))) {
                blobs.add(blob);
            }
        }
        return blobs;
    }

    @Override
    public Digest id() {
        return manifestDescriptor.digest();
    }

    @Override
    public Image toImage(List<String> tags, List<String> all, boolean pinned, Instant now) {
        long size = manifestDescriptor.size()
                + blobs().stream().mapToLong(Descriptor::size).sum();
        return new Image(id(), id(), target, tags, all, size, List.of(), now, pinned, "", true);
    }
}
