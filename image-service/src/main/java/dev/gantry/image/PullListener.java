package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import java.util.List;

/// Is told how a pull gets on. Called from several threads, though never from two at once for one layer; it must
/// return quickly, since the pull waits for it.
public interface PullListener {

    PullListener NONE = new PullListener() {};

    /// What is done with a layer at present, as in `gantry.v1`: it is UNPACKING once all of it has arrived.
    enum Phase {
        WAITING,
        DOWNLOADING,
        UNPACKING,
        DONE
    }

    /// A layer of the image.
    ///
    /// @param size of the blob, in bytes
    /// @param exists whether the node has it already, unpacked
    record Layer(Digest digest, long size, boolean exists) {}

    /// The name led to a manifest; these layers make the image, the lowest first.
    default void resolved(Reference reference, Digest manifest, List<Layer> layers) {}

    /// @param downloaded bytes that are there, those of an earlier attempt included
    default void progress(Digest layer, long downloaded, long total, Phase phase) {}
}
