package dev.gantry.image;

import dev.gantry.linux.FileStatus;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Mounts;
import dev.gantry.linux.RootDirectory;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.Whiteouts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Mends what a layer that was unpacked by itself does not know of the layers below: the modes and owners of
/// directories that it only implies. A layer that refers to files below is unpacked once more, on a mount of them.
final class LayerPlacement {

    private final Path mounts;
    private final UnpackLimits limits;

    /// @param mounts a directory for mount points that live as long as one layer is unpacked
    LayerPlacement(Path mounts, UnpackLimits limits) {
        this.mounts = mounts;
        this.limits = limits;
    }

    @FunctionalInterface
    interface Unpacking {
        void into(LayerUnpacker unpacker, Whiteouts whiteouts) throws InterruptedException;
    }

    /// Gives the implied directories what the topmost layer below says of them.
    void adoptFromParents(Snapshotter snapshotter, LayerUnpack.Place place, Path directory, Set<String> implied) {
        if (implied.isEmpty() || place.parent().isEmpty() || !snapshotter.layersIndependent()) {
            return;
        }
        List<RootDirectory> below = new ArrayList<>();
        try (RootDirectory layer = LayerUnpacker.open(directory)) {
            for (String name : snapshotter.chain(place.parentName().orElseThrow())) {
                below.add(LayerUnpacker.open(snapshotter.layerDirectory(name)));
            }
            for (String path : implied) {
                find(below, path).ifPresent(status -> adopt(layer, path, status));
            }
        } finally {
            below.forEach(RootDirectory::close);
        }
    }

    private static void adopt(RootDirectory layer, String path, FileStatus status) {
        layer.owner(path, status.uid(), status.gid());
        layer.mode(path, status.mode());
        layer.times(path, status.modified(), status.modified());
    }

    /// The directory as one sees it in the stack of layers, the topmost first.
    private static Optional<FileStatus> find(List<RootDirectory> layers, String path) {
        int visible = layers.size();
        Optional<FileStatus> found = Optional.empty();
        for (int slash = path.indexOf('/'); ; slash = path.indexOf('/', slash + 1)) {
            String prefix = slash < 0 ? path : path.substring(0, slash);
            found = Optional.empty();
            for (int i = 0; i < visible; i++) {
                FileStatus status = layers.get(i).status(prefix).orElse(null);
                if (status == null) {
                    continue;
                }
                if (!status.isDirectory()) {
                    visible = i;
                    break;
                }
                found = found.or(() -> Optional.of(status));
                if (LayerUnpacker.isOpaque(layers.get(i), prefix)) {
                    visible = i + 1;
                }
            }
            if (slash < 0 || found.isEmpty()) {
                return found;
            }
        }
    }

    /// Unpacks a layer through a mount of its parents, where hard links and symbolic links lead to what they mean.
    void unpackOnParents(
            Snapshotter snapshotter, LayerUnpack.Place place, Map<String, String> labels, Unpacking unpacking)
            throws InterruptedException {
        String key = place.key();
        List<Mount> stack = snapshotter.prepare(key, place.parentName(), Map.of());
        try {
            Path target = Files.createTempDirectory(Files.createDirectories(mounts), "layer-");
            try {
                for (Mount mount : stack) {
                    Mounts.mount(mount, target);
                }
                try (RootDirectory root = LayerUnpacker.open(target)) {
                    unpacking.into(new LayerUnpacker(root, Whiteouts.APPLY, limits), Whiteouts.APPLY);
                }
            } finally {
                Mounts.unmount(target);
                Files.delete(target);
            }
            snapshotter.commit(place.name(), key, labels);
        } catch (IOException e) {
            undo(snapshotter, key, e);
            throw new ImageException.LocalFailure("cannot mount the layers below " + place.blob(), e);
        } catch (RuntimeException | InterruptedException e) {
            undo(snapshotter, key, e);
            throw e;
        }
    }

    private static void undo(Snapshotter snapshotter, String key, Exception failure) {
        try {
            snapshotter.remove(key);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
