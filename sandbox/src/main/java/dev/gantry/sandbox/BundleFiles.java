package dev.gantry.sandbox;

import dev.gantry.linux.Mounts;
import dev.gantry.linux.Trees;
import dev.gantry.shim.Bundle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;

/// Makes and deletes the bundles that OCI runtimes read.
///
/// They need not survive a reboot, so nothing is synced.
public final class BundleFiles {

    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    /// A container that does not run as root must be able to pass through to its own root.
    private static final FileAttribute<Set<PosixFilePermission>> PASSABLE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx--x--x"));

    private BundleFiles() {}

    /// Makes the folder with `config.json` and an empty `rootfs`.
    ///
    /// @param users of a pod whose root is not the host's: it must be able to pass through to its own root as well
    public static void create(Bundle bundle, byte[] config, Optional<UserIds> users) {
        try {
            Path parent = bundle.directory().getParent();
            if (parent != null) {
                Files.createDirectories(parent, PASSABLE);
            }
            Files.createDirectory(bundle.directory(), PRIVATE);
            Files.createDirectory(bundle.rootfs(), PASSABLE);
            Files.write(bundle.config(), config);
            if (users.isPresent()) {
                int group = (int) users.get().rootGroup();
                Files.setAttribute(bundle.directory(), "unix:gid", group);
                Files.setPosixFilePermissions(bundle.directory(), PosixFilePermissions.fromString("rwx--x---"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write bundle " + bundle.directory(), e);
        }
    }

    public static byte[] readConfig(Bundle bundle) {
        try {
            return Files.readAllBytes(bundle.config());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + bundle.config(), e);
        }
    }

    /// Puts another `config.json` in place of the present one; whoever reads meanwhile sees either.
    public static void replaceConfig(Bundle bundle, byte[] config) {
        Path next = bundle.directory().resolve("config.json.next");
        try {
            Files.write(next, config);
            Files.move(next, bundle.config(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot replace " + bundle.config(), e);
        }
    }

    /// Deletes the folder, unmounting what a dead shim left mounted; one that is not there is fine.
    public static void delete(Bundle bundle) {
        Mounts.unmountTree(bundle.directory());
        Trees.delete(bundle.directory());
    }
}
