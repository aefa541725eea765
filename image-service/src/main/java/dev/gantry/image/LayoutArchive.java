package dev.gantry.image;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.RootDirectory;
import dev.gantry.linux.Trees;
import dev.gantry.storage.Whiteouts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/// An OCI image layout that came as a tar file, unpacked (as carefully as a layer) into a directory for as long as it
/// is read.
record LayoutArchive(Path directory) implements AutoCloseable {

    private static final int ARCHIVE_BUFFER = 256 * 1024;

    /// @throws ImageException.BadContent if it is no tar file, or a hostile one
    static LayoutArchive unpack(Path file, Path scratch, UnpackLimits limits) {
        LayoutArchive archive = new LayoutArchive(make(scratch));
        try (LayerStream stream = LayerStream.open(
                        FileChannel.open(file), ByteBuffer.allocateDirect(LayerStream.INPUT_SIZE), limits.bytes());
                RootDirectory root = LayerUnpacker.open(archive.directory)) {
            TarReader reader = new TarReader(stream, ByteBuffer.allocateDirect(ARCHIVE_BUFFER));
            new LayerUnpacker(root, Whiteouts.APPLY, limits).unpack(reader);
            return archive;
        } catch (IOException | ErrnoException e) {
            archive.close();
            throw new ImageException.BadContent("cannot unpack %s: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static Path make(Path scratch) {
        try {
            return Files.createTempDirectory(Files.createDirectories(scratch), "layout-");
        } catch (IOException e) {
            throw new ImageException.LocalFailure("cannot make a directory in " + scratch, e);
        }
    }

    @Override
    public void close() {
        Trees.delete(directory);
    }
}
