package dev.gantry.image;

import dev.gantry.linux.Errno;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.Fd;
import dev.gantry.linux.FileStatus;
import dev.gantry.linux.RootDirectory;
import dev.gantry.storage.Whiteouts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Writes the members of a layer's archive into a directory that none of them can leave.
///
/// With [Whiteouts#OVERLAY] the directory holds this layer alone, and what it removes is written down in overlayfs's
/// manner; what it refers to in layers below (directories it only implies, targets of hard links) is collected for
/// whoever puts the layers together. With [Whiteouts#APPLY] the directory is the whole tree; [#removeWhatIsWhitedOut]
/// goes before, for a whiteout concerns the layers below only, wherever it stands in the archive.
///
/// For one layer and one thread.
final class LayerUnpacker {

    private static final String OPAQUE_ATTRIBUTE = "trusted.overlay.opaque";
    private static final byte[] YES = {'y'};
    private static final int IMPLIED_MODE = 0755;
    private static final int IMPLIED_LIMIT = 50_000;
    /// Directories get their times when what is in them is there; so many of them are remembered.
    private static final int PENDING_TIMES = 10_000;

    private final RootDirectory root;
    private final Whiteouts whiteouts;
    private final UnpackLimits limits;
    private final Set<String> implied = new LinkedHashSet<>();
    private boolean needsParents;
    private final List<DirectoryTimes> pendingTimes = new ArrayList<>();
    private long entries;

    private record DirectoryTimes(String path, Instant accessed, Instant modified) {}

    LayerUnpacker(RootDirectory root, Whiteouts whiteouts, UnpackLimits limits) {
        this.root = root;
        this.whiteouts = whiteouts;
        this.limits = limits;
    }

    /// The directory of a layer. Names in it are bytes, whatever their encoding; [TarReader] reads them in the same
    /// way.
    static RootDirectory open(Path directory) {
        return RootDirectory.open(directory, TarReader.NAMES);
    }

    /// Directories that the layer has files in, but no entry for: their modes and owners are those of the layers below.
    Set<String> implied() {
        return implied;
    }

    /// Whether the layer refers to files of the layers below (as the target of a hard link, or through a symbolic link
    /// to a directory): then it has to be unpacked once more, on top of them.
    boolean needsParents() {
        return needsParents;
    }

    /// Unpacks everything.
    ///
    /// @throws IOException if the archive is broken or hostile
    /// @throws ErrnoException if the kernel refuses what the archive asks for
    void unpack(TarReader archive) throws IOException {
        for (TarEntry entry = archive.next(); entry != null; entry = archive.next()) {
            countEntry();
            EntryName name = EntryName.parse(entry.name());
            switch (name.kind()) {
                case FILE -> unpack(archive, entry, name);
                case WHITEOUT -> whiteOut(name);
                case OPAQUE -> makeOpaque(name);
                case IGNORED -> {}
            }
        }
        archive.drain();
        applyTimes();
    }

    /// Removes from the tree what the archive's whiteouts name, and does nothing else.
    void removeWhatIsWhitedOut(TarReader archive) throws IOException {
        for (TarEntry entry = archive.next(); entry != null; entry = archive.next()) {
            countEntry();
            EntryName name = EntryName.parse(entry.name());
            if (name.kind() == EntryName.Kind.WHITEOUT) {
                root.remove(name.path());
            } else if (name.kind() == EntryName.Kind.OPAQUE
                    && root.status(name.path()).filter(FileStatus::isDirectory).isPresent()) {
                for (String child : root.list(name.path())) {
                    root.remove(name.path() + "/" + child);
                }
            }
        }
        archive.drain();
        entries = 0;
    }

    private void countEntry() throws IOException {
        if (++entries > limits.entries()) {
            throw new IOException("it has more than %d entries".formatted(limits.entries()));
        }
        if (Thread.interrupted()) {
            throw new ImageException.Cancelled("unpacking a layer");
        }
    }

    private void unpack(TarReader archive, TarEntry entry, EntryName name) throws IOException {
        String path = name.path();
        if (path.equals(".") && entry.type() != TarEntry.Type.DIRECTORY) {
            throw new IOException("'%s' would replace the root directory".formatted(entry.name()));
        }
        switch (entry.type()) {
            case DIRECTORY -> makeDirectory(entry, path);
            case FILE -> writeFile(archive, entry, path);
            case SYMLINK -> make(path, () -> root.symlink(entry.link(), path));
            case HARD_LINK -> makeLink(entry, path);
            case FIFO -> makeNode(path, FileStatus.Type.FIFO, entry);
            case CHARACTER_DEVICE -> makeNode(path, FileStatus.Type.CHARACTER_DEVICE, entry);
            case BLOCK_DEVICE -> makeNode(path, FileStatus.Type.BLOCK_DEVICE, entry);
        }
        if (entry.type() != TarEntry.Type.HARD_LINK && !needsParents) {
            describe(entry, path);
        }
    }

    private void makeDirectory(TarEntry entry, String path) throws IOException {
        implied.remove(path);
        if (path.equals(".")) {
            return;
        }
        FileStatus there = root.status(path).orElse(null);
        if (there != null && there.isDirectory()) {
            return;
        }
        boolean made = make(path, () -> root.makeDirectory(path, entry.mode()));
        if (made && there != null && isWhiteout(there)) {
            // The layer removes what was below and puts a new directory there: nothing may shine through.
            root.xattr(path, OPAQUE_ATTRIBUTE, YES);
        }
    }

    private void writeFile(TarReader archive, TarEntry entry, String path) throws IOException {
        Fd[] file = new Fd[1];
        if (!make(path, () -> file[0] = root.createFile(path, entry.mode()))) {
            return;
        }
        try (Fd out = file[0]) {
            for (ByteBuffer piece = archive.content(); piece != null; piece = archive.content()) {
                while (piece.hasRemaining()) {
                    out.write(piece);
                }
            }
        }
    }

    private void makeLink(TarEntry entry, String path) throws IOException {
        EntryName target = EntryName.parse(entry.link());
        if (target.path().equals(path)) {
            return;
        }
        if (root.status(target.path()).isPresent()) {
            make(path, () -> root.link(target.path(), path));
        } else if (whiteouts == Whiteouts.OVERLAY) {
            needsParents = true;
        } else {
            throw new IOException("hard link '%s' refers to '%s', which does not exist".formatted(path, target.path()));
        }
    }

    private void makeNode(String path, FileStatus.Type type, TarEntry entry) throws IOException {
        long device = FileStatus.device(entry.major(), entry.minor());
        make(path, () -> root.makeNode(path, type.bits() | entry.mode(), device));
    }

    @FunctionalInterface
    private interface Step {
        void run();
    }

    /// Makes a file, after its parents if they are missing, in place of what has its name. False if its directory is
    /// behind a link into a layer below.
    private boolean make(String path, Step step) throws IOException {
        boolean parentsMade = false;
        boolean cleared = false;
        while (true) {
            try {
                step.run();
                return true;
            } catch (ErrnoException e) {
                if (e.is(Errno.ENOENT) && !parentsMade) {
                    makeParents(path);
                    parentsMade = true;
                } else if (e.is(Errno.EEXIST, Errno.EISDIR) && !cleared) {
                    root.remove(path);
                    cleared = true;
                } else if (e.is(Errno.ENOENT) && whiteouts == Whiteouts.OVERLAY) {
                    needsParents = true;
                    return false;
                } else {
                    throw e;
                }
            }
        }
    }

    private void makeParents(String path) throws IOException {
        for (int slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
            String parent = path.substring(0, slash);
            if (!root.exists(parent)) {
                root.makeDirectory(parent, IMPLIED_MODE);
                if (implied.size() >= IMPLIED_LIMIT) {
                    throw new IOException("more than %d directories have no entry".formatted(IMPLIED_LIMIT));
                }
                implied.add(parent);
            }
        }
    }

    /// Owner before mode, for changing the owner takes set-user-ID bits and capabilities away; times last.
    private void describe(TarEntry entry, String path) throws IOException {
        root.owner(path, entry.uid(), entry.gid());
        if (entry.type() == TarEntry.Type.SYMLINK) {
            root.times(path, entry.accessed(), entry.modified());
            return;
        }
        for (Map.Entry<String, byte[]> attribute : entry.attributes().entrySet()) {
            setAttribute(path, attribute.getKey(), attribute.getValue());
        }
        root.mode(path, entry.mode());
        if (entry.type() == TarEntry.Type.DIRECTORY) {
            pendingTimes.add(new DirectoryTimes(path, entry.accessed(), entry.modified()));
            if (pendingTimes.size() >= PENDING_TIMES) {
                applyTimes();
            }
        } else {
            root.times(path, entry.accessed(), entry.modified());
        }
    }

    private void setAttribute(String path, String name, byte[] value) throws IOException {
        if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) {
            throw new IOException("'%s' has the attribute %s, which is overlayfs's own".formatted(path, name));
        }
        if (name.equals("security.selinux")) {
            return; // labels are of the machine the image was built on
        }
        try {
            root.xattr(path, name, value);
        } catch (ErrnoException e) {
            // The file system of this node, or the kind of file, has no such attributes: the file is complete without.
            if (!e.is(Errno.EOPNOTSUPP, Errno.EPERM) || name.equals("security.capability")) {
                throw e;
            }
        }
    }

    private void applyTimes() {
        for (DirectoryTimes times : pendingTimes.reversed()) {
            try {
                root.times(times.path(), times.accessed(), times.modified());
            } catch (ErrnoException e) {
                if (!e.is(Errno.ENOENT, Errno.ENOTDIR)) { // a later member may have taken its place
                    throw e;
                }
            }
        }
        pendingTimes.clear();
    }

    private void whiteOut(EntryName name) throws IOException {
        if (whiteouts == Whiteouts.APPLY) {
            return;
        }
        String path = name.path();
        FileStatus there = root.status(path).orElse(null);
        if (there == null) {
            make(path, () -> root.makeNode(path, FileStatus.Type.CHARACTER_DEVICE.bits(), 0));
        } else if (there.isDirectory()) {
            root.xattr(path, OPAQUE_ATTRIBUTE, YES);
        } // else a file of this very layer hides the one below already
    }

    private void makeOpaque(EntryName name) throws IOException {
        if (whiteouts == Whiteouts.APPLY) {
            return;
        }
        String path = name.path();
        if (!path.equals(".") && !root.exists(path)) {
            makeParents(path + "/");
        }
        root.xattr(path, OPAQUE_ATTRIBUTE, YES.clone());
    }

    static boolean isWhiteout(FileStatus status) {
        return status.type() == FileStatus.Type.CHARACTER_DEVICE && status.special() == 0;
    }

    static boolean isOpaque(RootDirectory layer, String path) {
        return layer.xattr(path, OPAQUE_ATTRIBUTE)
                .filter(value -> new String(value, StandardCharsets.US_ASCII).equals("y"))
                .isPresent();
    }
}
