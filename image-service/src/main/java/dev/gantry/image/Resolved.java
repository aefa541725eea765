package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a name led to: its documents are checked, in the content store and on lease.
sealed interface Resolved permits ResolvedImage, ResolvedArtifact {

    Digest id();

    /// To be given to it, such as `docker.io/library/nginx:latest`.
    Optional<String> tag();

    /// `name@digest` of the manifest, and of the index that led to it.
    List<String> digests();

    /// The row, with just these names.
    Image toImage(List<String> tags, List<String> digests, boolean pinned, Instant now);

    /// The row: with the names it had, and those it has come by now.
    default Image toImage(Optional<Image> before, boolean pinned, Instant now) {
        Set<String> tags = new LinkedHashSet<>(before.map(Image::tags).orElse(List.of()));
        tag().ifPresent(tags::add);
        Set<String> all = new LinkedHashSet<>(before.map(Image::digests).orElse(List.of()));
        all.addAll(digests());
        return toImage(
                List.copyOf(tags),
                List.copyOf(all),
                pinned || before.map(Image::pinned).orElse(false),
                now);
    }
}
