package dev.gantry.image;

import dev.gantry.cri.oci.Platform;
import java.util.Optional;

/// What is to be pulled, and how.
///
/// @param snapshotter by name; empty means the one of the configuration
public record PullOptions(
        Reference reference,
        Credentials credentials,
        Optional<String> snapshotter,
        Platform platform,
        PullListener listener) {

    /// A pull for this machine, with the default snapshotter, that nobody watches.
    public static PullOptions of(Reference reference, Credentials credentials) {
        return new PullOptions(reference, credentials, Optional.empty(), Platform.host(), PullListener.NONE);
    }
}
