package dev.gantry.runtime;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What images say about users and mount points in their own files.
///
/// Images are hostile: what is read is bounded (CVE-2025-4437, CVE-2026-47262), and what is kept is too. Thread-safe.
final class ImageFiles {

    private static final int MAX_FILE = 1 << 20;
    private static final ContainerPath PASSWD = new ContainerPath("/etc/passwd");
    private static final ContainerPath GROUP = new ContainerPath("/etc/group");
    private static final int MAX_KEPT_LENGTH = 64 << 10;
    private static final int MAX_KEPT = 32;
    /// What the runtime mounts on. A link there has led older runtimes out of the container (CVE-2026-41579).
    private static final List<String> MOUNT_POINTS = List.of("dev", "proc", "sys");

    /// The least recently used goes first; guarded by itself.
    private final Map<String, UserDatabase> kept = new LinkedHashMap<>(16, 0.75f, true);

    /// The image's users and groups.
    ///
    /// @throws ContainerException.InvalidRequest when no container should be made of this image
    UserDatabase users(ImageContent image) {
        synchronized (kept) {
            UserDatabase known = kept.get(image.key());
            if (known != null) {
                return known;
            }
        }
        UserDatabase users = read(image);
        if (users.length() <= MAX_KEPT_LENGTH) {
            keep(image.key(), users);
        }
        return users;
    }

    /// A working directory as the kernel will find it, as far as the image decides.
    ContainerPath resolve(ImageContent image, ContainerPath path) {
        try (ImageTree tree = ImageTree.open(image.layers().get())) {
            return tree.resolve(path);
        } catch (ContainerException.InvalidRequest e) {
            throw new ContainerException.InvalidRequest("image %s: %s".formatted(image.name(), e.getMessage()));
        }
    }

    private void keep(String key, UserDatabase users) {
        synchronized (kept) {
            kept.put(key, users);
            if (kept.size() > MAX_KEPT) {
                kept.remove(kept.keySet().iterator().next());
            }
        }
    }

    private static UserDatabase read(ImageContent image) {
        List<Path> layers = image.layers().get();
        try (ImageTree tree = ImageTree.open(layers)) {
            for (String name : MOUNT_POINTS) {
                if (tree.isLink(name)) {
                    throw new ContainerException.InvalidRequest(
                            "/%s is a link, where the runtime would mount".formatted(name));
                }
            }
            return UserDatabase.of(read(tree, PASSWD), read(tree, GROUP));
        } catch (ContainerException.InvalidRequest e) {
            throw new ContainerException.InvalidRequest("image %s: %s".formatted(image.name(), e.getMessage()));
        }
    }

    private static byte[] read(ImageTree tree, ContainerPath path) {
        return tree.find(path).map(file -> tree.read(file, MAX_FILE)).orElseGet(() -> new byte[0]);
    }
}
