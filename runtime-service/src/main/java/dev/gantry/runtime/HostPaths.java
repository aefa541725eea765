package dev.gantry.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/// Paths of the host that a request names.
final class HostPaths {

    private HostPaths() {}

    /// The path with its links resolved; a folder is made where nothing is, which the kubelet's hostPath volumes rely
    /// on.
    static Path existing(String path, ContainerPath destination) {
        Path given = absolute("host path", path);
        try {
            return given.toRealPath();
        } catch (NoSuchFileException _) {
            return made(given, destination);
        } catch (IOException e) {
            throw new ContainerException.Failed(
                    "cannot resolve host path %s of mount %s".formatted(path, destination), e);
        }
    }

    static Path absolute(String what, String path) {
        try {
            Path parsed = Path.of(path);
            if (parsed.isAbsolute()) {
                return parsed;
            }
        } catch (InvalidPathException _) {
            // It cannot name a file; the message is the same.
        }
        throw new ContainerException.InvalidRequest(
                "%s \"%s\" is not an absolute path".formatted(what, path.replace('\0', '?')));
    }

    private static Path made(Path path, ContainerPath destination) {
        try {
            Files.createDirectories(
                    path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
            return path.toRealPath();
        } catch (IOException e) {
            throw new ContainerException.Failed(
                    "host path %s of mount %s does not exist and cannot be made".formatted(path, destination), e);
        }
    }
}
