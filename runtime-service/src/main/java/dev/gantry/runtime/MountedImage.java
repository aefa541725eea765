package dev.gantry.runtime;

import dev.gantry.cri.oci.Digest;
import dev.gantry.storage.Ref;
import java.util.ArrayList;
import java.util.List;

/// An image that a container has as a volume, as it is stored: for the status, and so that nothing of it is collected.
///
/// @param path     where the container sees it
/// @param id       of the image
/// @param ref      the image by name and digest, where it has a name
/// @param manifest the digest of its manifest, which names everything that it consists of
/// @param snapshot the topmost of its layers, empty where it has none
record MountedImage(String path, String id, String ref, String manifest, String snapshot) {

    List<Ref> references(String snapshotter) {
        List<Ref> references = new ArrayList<>(List.of(new Ref.Content(Digest.parse(manifest))));
        if (!snapshot.isEmpty()) {
            references.add(new Ref.Snapshot(snapshotter, snapshot));
        }
        return references;
    }
}
