package dev.gantry.runtime;

import dev.gantry.linux.FileStatus;
import dev.gantry.linux.RootDirectory;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/// The files of an image as a container would see them, read from its layers without mounting anything.
///
/// Does what overlayfs does: the topmost layer that has a file wins, directories are merged down to an opaque one, a
/// whiteout hides what lies below. Links are followed name by name through all layers, so none leads out of the
/// image. Names are held byte by byte, so that none is mangled. Layers are committed and change no more; each is opened
/// when the tree is. For one thread.
final class ImageTree implements AutoCloseable {

    /// The kernel's own limit in one look-up.
    private static final int MAX_LINKS = 40;

    /// Names are any bytes, and this carries them through.
    static final Charset NAMES = StandardCharsets.ISO_8859_1;

    private static final String OPAQUE = "trusted.overlay.opaque";

    private final List<RootDirectory> layers = new ArrayList<>();

    /// A file of the image.
    ///
    /// @param path   relative to the root, without links
    /// @param status of the topmost layer that has it
    /// @param layers those that have it; several for a merged directory
    record Entry(String path, FileStatus status, List<RootDirectory> layers) {}

    /// Where following a path ended: at a file, or where a name was missing.
    private record Walk(Entry last, Optional<String> missing) {}

    /// @param topDown the layers' directories, the topmost first
    static ImageTree open(List<Path> topDown) {
        ImageTree tree = new ImageTree();
        try {
            topDown.forEach(directory -> tree.layers.add(RootDirectory.open(directory, NAMES)));
            return tree;
        } catch (RuntimeException e) {
            tree.close();
            throw e;
        }
    }

    /// The file at a path, links followed.
    Optional<Entry> find(ContainerPath path) {
        Walk walk = walk(new String(path.value().getBytes(StandardCharsets.UTF_8), NAMES));
        return walk.missing().isPresent() ? Optional.empty() : Optional.of(walk.last());
    }

    /// A path with the image's links followed as far as it exists.
    ContainerPath resolve(ContainerPath path) {
        Walk walk = walk(new String(path.value().getBytes(StandardCharsets.UTF_8), NAMES));
        String found = walk.last().path() + "/" + walk.missing().orElse("");
        return ContainerPath.clean(new String(found.getBytes(NAMES), StandardCharsets.UTF_8));
    }

    /// Whether the root directory has a link of that name.
    boolean isLink(String name) {
        return child(root(), name).filter(entry -> entry.status().isSymlink()).isPresent();
    }

    /// @throws ContainerException.InvalidRequest when it is no regular file, or larger than the limit
    byte[] read(Entry file, int limit) {
        if (!file.status().isRegular()) {
            throw new ContainerException.InvalidRequest("/%s is not a regular file".formatted(file.path()));
        }
        if (file.status().size() > limit) {
            throw new ContainerException.InvalidRequest("/%s has %d bytes, more than the %d that are read"
                    .formatted(file.path(), file.status().size(), limit));
        }
        return file.layers().getFirst().readFile(file.path(), limit);
    }

    /// The bytes of a regular file.
    InputStream stream(Entry file) {
        return file.layers().getFirst().openFile(file.path(), Long.MAX_VALUE).stream();
    }

    Optional<byte[]> xattr(Entry file, String name) {
        return file.layers().getFirst().xattr(file.path(), name);
    }

    String linkTarget(Entry link) {
        return link.layers().getFirst().readLink(link.path());
    }

    /// What a directory holds, by name, links not followed.
    List<Entry> list(Entry directory) {
        TreeSet<String> names = new TreeSet<>();
        directory.layers().forEach(layer -> names.addAll(layer.list(directory.path())));
        return names.stream().flatMap(name -> child(directory, name).stream()).toList();
    }

    @Override
    public void close() {
        layers.forEach(RootDirectory::close);
    }

    private Entry root() {
        FileStatus status = new FileStatus(FileStatus.Type.DIRECTORY, 0755, 0, 0, 1, 0, 0, 0, 0, 0, Instant.EPOCH);
        return new Entry("", status, layers);
    }

    private Walk walk(String path) {
        Deque<String> rest = new ArrayDeque<>(List.of(path.split("/", -1)));
        Deque<Entry> at = new ArrayDeque<>(List.of(root()));
        int links = 0;
        while (!rest.isEmpty()) {
            String name = rest.pop();
            Entry here = at.getFirst();
            if (name.equals("..")) {
                if (at.size() > 1) {
                    at.pop();
                }
            } else if (!name.isEmpty() && !name.equals(".")) {
                Entry child = here.status().isDirectory() ? child(here, name).orElse(null) : null;
                if (child == null) {
                    return new Walk(here, Optional.of(rest.isEmpty() ? name : name + "/" + String.join("/", rest)));
                }
                if (!child.status().isSymlink()) {
                    at.push(child);
                } else if (++links > MAX_LINKS) {
                    throw new ContainerException.InvalidRequest("too many links on the way to %s".formatted(path));
                } else {
                    follow(linkTarget(child), rest, at);
                }
            }
        }
        return new Walk(at.getFirst(), Optional.empty());
    }

    private static void follow(String target, Deque<String> rest, Deque<Entry> at) {
        if (target.startsWith("/")) {
            Entry root = at.getLast();
            at.clear();
            at.push(root);
        }
        List.of(target.split("/", -1)).reversed().forEach(rest::push);
    }

    private Optional<Entry> child(Entry directory, String name) {
        String path = directory.path().isEmpty() ? name : directory.path() + "/" + name;
        List<RootDirectory> holders = new ArrayList<>();
        FileStatus top = null;
        for (RootDirectory layer : directory.layers()) {
            FileStatus status = layer.status(path).orElse(null);
            if (status == null) {
                continue;
            }
            if (isWhiteout(status) || (top != null && !status.isDirectory())) {
                break;
            }
            top = top == null ? status : top;
            holders.add(layer);
            if (!status.isDirectory() || isOpaque(layer, path)) {
                break;
            }
        }
        return top == null ? Optional.empty() : Optional.of(new Entry(path, top, List.copyOf(holders)));
    }

    private static boolean isWhiteout(FileStatus status) {
        return status.type() == FileStatus.Type.CHARACTER_DEVICE && status.special() == 0;
    }

    private static boolean isOpaque(RootDirectory layer, String path) {
        return layer.xattr(path, OPAQUE)
                .filter(value -> value.length == 1 && value[0] == 'y')
                .isPresent();
    }
}
