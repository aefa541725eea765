package dev.gantry.runtime;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.Resources;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/// The device nodes of the host.
final class HostDevices {

    private static final int MAX_DEPTH = 8;
    /// Not devices of the host, but of one terminal, one container or one process.
    private static final Set<String> SKIPPED =
            Set.of("pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console");

    private HostDevices() {}

    /// A node of the host.
    ///
    /// @param type `b` or `c`
    record Node(Path path, String type, long major, long minor, int mode, int uid, int gid) {

        Linux.Device at(String path) {
            return new Linux.Device(path, type, major, minor, mode & 0777L, (long) uid, (long) gid);
        }

        Resources.DeviceRule allow(String access) {
            return new Resources.DeviceRule(true, type, major, minor, access);
        }
    }

    /// The node itself or, of a folder, the nodes below it; links are not followed.
    static List<Node> below(Path path) {
        return below(path, Set.of());
    }

    /// Everything that a privileged container sees.
    static List<Node> all(Path dev) {
        return below(dev, SKIPPED);
    }

    private static List<Node> below(Path path, Set<String> skipped) {
        List<Node> nodes = new ArrayList<>();
        collect(path, skipped, 0, nodes);
        return nodes;
    }

    private static void collect(Path path, Set<String> skipped, int depth, List<Node> nodes) {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            node(path).ifPresent(nodes::add);
            return;
        }
        if (depth == MAX_DEPTH) {
            return;
        }
        for (Path child : children(path)) {
            if (!skipped.contains(String.valueOf(child.getFileName()))) {
                collect(child, skipped, depth + 1, nodes);
            }
        }
    }

    private static List<Path> children(Path folder) {
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            Stream<Path> paths = StreamSupport.stream(stream.spliterator(), false);
            return paths.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list devices in " + folder, e);
        }
    }

    /// The device that the path leads to, links followed.
    static Optional<Node> find(Path path) {
        try {
            return node(path.toRealPath());
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    private static Optional<Node> node(Path path) {
        try {
            Map<String, Object> status =
                    Files.readAttributes(path, "unix:mode,rdev,uid,gid", LinkOption.NOFOLLOW_LINKS);
            int mode = (int) number(status, "mode");
            long device = number(status, "rdev");
            String type = switch (mode & 0170000) {
                case 0020000 -> "c";
                case 0060000 -> "b";
                default -> "";
            };
            return type.isEmpty()
                    ? Optional.empty()
                    : Optional.of(
                            new Node(path, type, major(device), minor(device), mode, (int) number(status, "uid"), (int)
                                    number(status, "gid")));
        } catch (NoSuchFileException _) {
            return Optional.empty(); // Devices come and go.
        } catch (IOException e) {
            throw new UncheckedIOException("cannot look at device " + path, e);
        }
    }

    private static long number(Map<String, Object> status, String name) {
        return status.get(name) instanceof Number number ? number.longValue() : 0;
    }

    /// The kernel's and glibc's layout: 12 bits of major and 20 of minor in the middle, the rest above.
    static long major(long device) {
        return ((device >>> 8) & 0xfff) | ((device >>> 32) & ~0xfffL);
    }

    static long minor(long device) {
        return (device & 0xff) | ((device >>> 12) & 0xffffff00L);
    }
}
