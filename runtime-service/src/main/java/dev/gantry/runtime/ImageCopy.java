package dev.gantry.runtime;

import dev.gantry.linux.Fd;
import dev.gantry.linux.FileStatus;
import dev.gantry.linux.RootDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// Copies a folder of an image with owners, modes and times; no link is followed on the way.
final class ImageCopy {

    private static final int BUFFER = 64 << 10;
    private static final int MAX_DEPTH = 256;
    private static final String FILE_CAPABILITIES = "security.capability";

    private final ImageTree from;
    private final RootDirectory to;

    ImageCopy(ImageTree from, RootDirectory to) {
        this.from = from;
        this.to = to;
    }

    /// A folder that the image does not have becomes an empty one.
    void copy(ContainerPath source, String target) {
        to.makeDirectory(target, 0755);
        ImageTree.Entry folder =
                from.find(source).filter(it -> it.status().isDirectory()).orElse(null);
        if (folder != null) {
            copyContent(folder, target, 0);
            copyAttributes(folder, target);
        }
    }

    private void copyContent(ImageTree.Entry folder, String target, int depth) {
        if (depth > MAX_DEPTH) {
            throw new ContainerException.InvalidRequest(
                    "folder /%s of the image is too deep to copy".formatted(folder.path()));
        }
        for (ImageTree.Entry entry : from.list(folder)) {
            String path = target + entry.path().substring(entry.path().lastIndexOf('/'));
            copyEntry(entry, path, depth);
            copyAttributes(entry, path);
        }
    }

    private void copyEntry(ImageTree.Entry entry, String path, int depth) {
        FileStatus status = entry.status();
        switch (status.type()) {
            case DIRECTORY -> {
                to.makeDirectory(path, 0700);
                copyContent(entry, path, depth + 1);
            }
            case REGULAR -> copyFile(entry, path);
            case SYMLINK -> to.symlink(from.linkTarget(entry), path);
            case FIFO, SOCKET, CHARACTER_DEVICE, BLOCK_DEVICE ->
                to.makeNode(path, status.type().bits() | status.mode(), status.special());
        }
    }

    private void copyFile(ImageTree.Entry entry, String path) {
        byte[] buffer = new byte[BUFFER];
        try (InputStream in = from.stream(entry);
                Fd out = to.createFile(path, 0600)) {
            for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
                out.write(buffer, 0, count);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy /%s of the image".formatted(entry.path()), e);
        }
    }

    /// The owner first, as changing it drops the set-id bits and file capabilities.
    private void copyAttributes(ImageTree.Entry entry, String path) {
        FileStatus status = entry.status();
        to.owner(path, status.uid(), status.gid());
        if (!status.isSymlink()) {
            to.mode(path, status.mode());
            if (status.isRegular()) {
                from.xattr(entry, FILE_CAPABILITIES).ifPresent(it -> to.xattr(path, FILE_CAPABILITIES, it));
            }
        }
        to.times(path, status.modified(), status.modified());
    }
}
