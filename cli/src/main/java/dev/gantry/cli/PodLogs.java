package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// Where `gantry run` has the containers of a pod write their logs, and how they go away again:
/// `<root of the daemon>/logs/<namespace>_<name>_<uid>/<container>/<attempt>.log`. The kubelet keeps
/// its logs elsewhere, so what is found here is ours.
final class PodLogs {

    private PodLogs() {}

    static Path directory(Path root, PodSandboxMetadata pod) {
        return directory(root, pod.getNamespace(), pod.getName(), pod.getUid());
    }

    static Path directory(Path root, String namespace, String name, String uid) {
        String folder = "%s_%s_%s".formatted(namespace, name, uid);
        // other clients may give a pod any name: one with a slash was not made by us
        if (folder.contains("/")) {
            folder = folder.replace('/', '_');
        }
        return root.resolve("logs").resolve(folder);
    }

    static String file(String container, int attempt) {
        return container + "/" + attempt + ".log";
    }

    /// Removes a pod's log directory; one that is not there is fine. Links are removed, not followed.
    static void remove(Path directory) {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            var _ = Files.walkFileTree(directory, new Deletion());
        } catch (IOException e) {
            throw new CliException.Failed("cannot remove the logs %s: %s".formatted(directory, e.getMessage()), e);
        }
    }

    private static final class Deletion extends SimpleFileVisitor<Path> {

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
            if (failure != null) {
                throw failure;
            }
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
        }
    }
}
