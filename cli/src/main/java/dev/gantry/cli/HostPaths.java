package dev.gantry.cli;

import io.fabric8.kubernetes.api.model.HostPathVolumeSource;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;

/// Checks what a hostPath volume names, and makes what Kubernetes would make. This command runs on
/// the node itself, so the paths mean the same to it as to the daemon.
final class HostPaths {

    private static final int TYPE_MASK = 0170000;

    private HostPaths() {}

    /// The type says what has to be there; none means that anything will do.
    static String prepare(String volume, HostPathVolumeSource source) {
        Path path = Path.of(source.getPath());
        String type = Optional.ofNullable(source.getType()).orElse("");
        try {
            make(path, type);
        } catch (IOException e) {
            throw new CliException.Failed(
                    "cannot make %s for volume %s: %s".formatted(path, volume, e.getMessage()), e);
        }
        if (!fits(path, type)) {
            throw new CliException.Failed("volume %s wants a %s, and %s is %s"
                    .formatted(volume, type, path, Files.exists(path) ? "something else" : "not there"));
        }
        return path.toString();
    }

    private static void make(Path path, String type) throws IOException {
        if (type.equals("DirectoryOrCreate") && Files.notExists(path)) {
            Files.createDirectories(
                    path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        } else if (type.equals("FileOrCreate") && Files.notExists(path)) {
            try {
                Files.createFile(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r--r--")));
            } catch (FileAlreadyExistsException _) {
                // somebody was faster, which is as good; what it is, is checked next
            }
        }
    }

    private static boolean fits(Path path, String type) {
        return switch (type) {
            case "" -> true;
            case "Directory", "DirectoryOrCreate" -> Files.isDirectory(path);
            case "File", "FileOrCreate" -> Files.isRegularFile(path);
            case "Socket" -> is(path, 0140000);
            case "CharDevice" -> is(path, 0020000);
            case "BlockDevice" -> is(path, 0060000);
            default -> false;
        };
    }

    private static boolean is(Path path, int wanted) {
        try {
            return Files.getAttribute(path, "unix:mode") instanceof Integer mode && (mode & TYPE_MASK) == wanted;
        } catch (IOException _) {
            return false;
        }
    }
}
