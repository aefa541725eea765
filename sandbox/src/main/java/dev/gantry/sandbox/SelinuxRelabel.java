package dev.gantry.sandbox;

import dev.gantry.linux.Errno;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.FileStatus;
import dev.gantry.linux.Mount;
import dev.gantry.linux.RootDirectory;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// Gives files the SELinux label of the container that shall use them: those of a mount (CRI `selinux_relabel`), and
/// our own that no option of a mount can label.
///
/// Of a mount, what the host itself needs keeps its labels, whoever asks: a pod that relabels `/etc` takes the node
/// down (CVE-2021-43816 went that way through a host path).
public final class SelinuxRelabel {

    private static final String ATTRIBUTE = "security.selinux";
    /// Names of files are bytes, whatever they mean.
    private static final Charset NAMES = StandardCharsets.ISO_8859_1;
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
    /// @throws SandboxException.InvalidRequest for what the host needs
    public static void apply(Path path, String label) {
        check(path);
        own(path, label);
    }

    /// The roots of containers that are bind mounts, which take no option that labels them: see [Selinux#labelled].
    ///
    /// @param label empty for none
    public static void root(List<Mount> mounts, String label) {
        mounts.stream().filter(it -> it.type().equals("bind")).forEach(it -> own(Path.of(it.source()), label));
    }

    /// As [#apply], for files that are ours.
    ///
    /// @param label empty for none
    public static void own(Path path, String label) {
        if (label.isEmpty()) {
            return;
        }
        byte[] value = (label + "\0").getBytes(StandardCharsets.UTF_8);
        boolean directory = Files.isDirectory(path);
        // Opened at the folder itself, so that nothing in it leads out of it.
        Path root = directory ? path : Objects.requireNonNull(path.getParent());
        String name = directory ? "" : encoded(String.valueOf(path.getFileName()));
        try (RootDirectory folder = RootDirectory.open(root, NAMES)) {
            relabel(folder, name, value, directory, 0);
        } catch (ErrnoException e) {
            if (!e.is(Errno.EOPNOTSUPP)) {
                throw new SandboxException.Failed("cannot relabel " + path + " as " + label, e);
            }
        }
    }

    private static String encoded(String name) {
        return new String(name.getBytes(StandardCharsets.UTF_8), NAMES);
    }

    static boolean has(Path directory, String label) {
        try (RootDirectory root = RootDirectory.open(directory, NAMES)) {
            return root.xattr("", ATTRIBUTE)
                    .map(it -> new String(it, StandardCharsets.UTF_8).replace("\0", ""))
                    .filter(label::equals)
                    .isPresent();
        } catch (ErrnoException e) {
            if (e.is(Errno.EOPNOTSUPP)) {
                return false;
            }
            throw e;
        }
    }

    static void check(Path path) {
        boolean spared =
                SPARED.contains(path.toString()) || SPARED_TREES.stream().anyMatch(path::startsWith);
        if (spared) {
            throw new SandboxException.InvalidRequest(
                    "cannot relabel %s for SELinux: the host needs its labels as they are".formatted(path));
        }
    }

    /// A folder comes after what is in it: one that has the label has it throughout, whatever cut us off.
    private static void relabel(RootDirectory root, String path, byte[] label, boolean directory, int depth) {
        if (directory) {
            relabelWithin(root, path, label, depth);
        }
        root.xattr(path, ATTRIBUTE, label);
    }

    private static void relabelWithin(RootDirectory root, String path, byte[] label, int depth) {
        if (depth == MAX_DEPTH) {
            throw new SandboxException.InvalidRequest("%s is too deep to relabel".formatted(path));
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
