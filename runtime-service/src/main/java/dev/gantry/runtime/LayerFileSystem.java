package dev.gantry.runtime;

import dev.gantry.linux.FileSystems;
import dev.gantry.storage.Snapshotter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ConcurrentHashMap;

/// The file system on which the writable layers of a snapshotter lie.
///
/// @param device that it is on, `/dev/vda1`; of memory file systems their name
record LayerFileSystem(String device, FileSystems.StatFs size) {

    /// By their roots; finding one out means to read the mount table, which is long where many containers run.
    private static final ConcurrentHashMap<Path, String> DEVICES = new ConcurrentHashMap<>();

    static LayerFileSystem of(Snapshotter snapshotter) {
        Path root = snapshotter.root();
        return new LayerFileSystem(DEVICES.computeIfAbsent(root, LayerFileSystem::device), FileSystems.statfs(root));
    }

    private static String device(Path root) {
        try {
            return Files.getFileStore(root).name();
        } catch (IOException _) {
            return "";
        }
    }
}
