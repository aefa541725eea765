package dev.gantry.runtime;

import dev.gantry.linux.Errno;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.FileStatus;
import dev.gantry.linux.RootDirectory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;

/// Gives the files of a mount the SELinux label of the container (CRI `selinux_relabel`).
///
/// What the host itself needs keeps its labels, whoever asks: a pod that relabels `/etc` takes the node down
/// (CVE-2021-43816 went that way through a host path).
final class SelinuxRelabel {

    private static final String ATTRIBUTE = "security.selinux";
    private static final int MAX_DEPTH = 512;
    private static final Set<String> SPARED = Set.of(
            "/",
            "/bin",
            "/boot",
            "/dev",
            "/etc",
            "/home",
            "/lib",
            "/lib64",
            "/media",
            "/mnt",
            "/opt",
            "/proc",
            "/root",
            "/run",
            "/sbin",
            "/srv",
            "/sys",
            "/tmp",
            "/usr",
            "/var",
            "/var/lib",
            "/var/log",
            "/var/run",
            "/var/tmp");
    private static final Set<String> SPARED_TREES = Set.of("/proc", "/sys", "/dev");

    private SelinuxRelabel() {}

    /// Links are relabelled themselves and not followed. A file system without labels is left as it is.
    ///
    /// @param path with its links resolved
    /// @throws ContainerException.InvalidRequest for what the host needs
    static void apply(Path path, String label) {
        check(path);
        byte[] value = (label + "\0").getBytes(StandardCharsets.UTF_8);
        boolean directory = Files.isDirectory(path);
        // Opened at the folder itself, so that nothing in it leads out of it.
        Path root = directory ? path : Objects.requireNonNull(path.getParent());
        String name = directory ? "" : encoded(String.valueOf(path.getFileName()));
        try (RootDirectory folder = RootDirectory.open(root, ImageTree.NAMES)) {
            relabel(folder, name, value, directory, 0);
        } catch (ErrnoException e) {
            if (!e.is(Errno.EOPNOTSUPP)) {
                throw new ContainerException.Failed("cannot relabel " + path + " as " + label, e);
            }
        }
    }

    private static String encoded(String name) {
        return new String(name.getBytes(StandardCharsets.UTF_8), ImageTree.NAMES);
    }

    static void check(Path path) {
        boolean spared =
                SPARED.contains(path.toString()) || SPARED_TREES.stream().anyMatch(path::startsWith);
        if (spared) {
            throw new ContainerException.InvalidRequest(
                    "cannot relabel %s for SELinux: the host needs its labels as they are".formatted(path));
        }
    }

    private static void relabel(RootDirectory root, String path, byte[] label, boolean directory, int depth) {
        root.xattr(path, ATTRIBUTE, label);
        if (!directory) {
            return;
        }
        if (depth == MAX_DEPTH) {
            throw new ContainerException.InvalidRequest("%s is too deep to relabel".formatted(path));
        }
        for (String name : root.list(path)) {
            String child = path.isEmpty() ? name : path + "/" + name;
            boolean folder = root.status(child).map(FileStatus::isDirectory).orElse(false);
            if (root.exists(child)) {
                relabel(root, child, label, folder, depth + 1);
            }
        }
    }
}
