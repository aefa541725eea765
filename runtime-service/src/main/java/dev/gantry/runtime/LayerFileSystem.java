package dev.gantry.runtime;

import dev.gantry.linux.FileSystems;
import dev.gantry.storage.Snapshotter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The file system on which the writable layers of a snapshotter lie.
///
/// @param device that it is on, `/dev/vda1`; of memory file systems their name
record LayerFileSystem(String device, FileSystems.StatFs size) {

    static LayerFileSystem of(Snapshotter snapshotter) {
        Path root = snapshotter.root();
        return new LayerFileSystem(device(root), FileSystems.statfs(root));
    }

    private static String device(Path root) {
        try {
            return Files.getFileStore(root).name();
        } catch (IOException _) {
            return "";
        }
    }
}
