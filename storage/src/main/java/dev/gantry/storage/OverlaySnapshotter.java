package dev.gantry.storage;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.HostFacts;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Snapshots as layers of overlayfs: each directory holds its own layer alone, and the kernel puts them together.
///
/// Writable layers are mounted `volatile` where the kernel knows it (5.10): an unmount then does not wait until the
/// whole file system is synced, which otherwise holds up stops for seconds. The price is that the kernel refuses to
/// mount such a layer again, as it might not be whole after a power cut; [#mounts] lifts that, because no container
/// outlives a power cut.
public final class OverlaySnapshotter extends DirectorySnapshotter {

    public static final Kind<?> KIND = Snapshot.kind("overlayfs");

    private static final Path INDEX = Path.of("/sys/module/overlay/parameters/index");

    private final boolean indexed = isIndexed();
    private final boolean canBeVolatile = HostFacts.kernel().atLeast(5, 10);

    /// Opens the snapshots in `root`, whose rows are in `store`; drops those that the last run left half.
    public OverlaySnapshotter(Path root, MetadataStore store) {
        this(root, store, HostFacts.bootId());
    }

    @SuppressWarnings("unchecked") // hidden from other modules, not from us
    OverlaySnapshotter(Path root, MetadataStore store, String boot) {
        super("overlayfs", root.toAbsolutePath(), (Kind<Snapshot>) KIND, store, boot);
        if (root.toString().matches(".*[:,\\\\].*")) {
            throw new IllegalArgumentException(
                    "snapshots cannot lie in %s: colons, commas and backslashes mean something to overlayfs"
                            .formatted(root));
        }
    }

    @Override
    public boolean layersIndependent() {
        return true;
    }

    @Override
    public Whiteouts whiteouts() {
        return Whiteouts.OVERLAY;
    }

    @Override
    void fill(Path directory, Optional<Path> parent, SnapshotState state) throws IOException {
        Path files = directory.resolve("fs");
        Files.createDirectory(files);
        Files.createDirectory(directory.resolve("work"));
        if (parent.isPresent()) {
            // The topmost layer's root directory is what a container sees as `/`.
            Files.setAttribute(
                    files, "unix:uid", Files.getAttribute(parent.get(), "unix:uid", LinkOption.NOFOLLOW_LINKS));
            Files.setAttribute(
                    files, "unix:gid", Files.getAttribute(parent.get(), "unix:gid", LinkOption.NOFOLLOW_LINKS));
            Files.setPosixFilePermissions(files, Files.getPosixFilePermissions(parent.get()));
        } else {
            Files.setPosixFilePermissions(files, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    @Override
    public boolean shiftsIds() {
        return true;
    }

    @Override
    void shift(Path directory, IdShift shift) throws IOException {
        Path files = directory.resolve("fs");
        Map<String, Object> owner = Files.readAttributes(files, "unix:uid,gid", LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(files, "unix:uid", (int) IdShift.shift(shift.users(), id(owner, "uid")));
        Files.setAttribute(files, "unix:gid", (int) IdShift.shift(shift.groups(), id(owner, "gid")));
    }

    private static long id(Map<String, Object> attributes, String name) {
        return Integer.toUnsignedLong((Integer) Objects.requireNonNull(attributes.get(name)));
    }

    /// The layers below are seen with shifted ids, the one that is written is not: what a pod writes there has the
    /// owners that it has on the host.
    @Override
    List<Mount> mounts(Snapshot snapshot, Path layers) {
        List<Path> lower =
                ancestors(snapshot).stream().map(it -> files(it, layers)).toList();
        boolean writable = snapshot.info().state() == SnapshotState.ACTIVE;
        if (lower.isEmpty()) {
            return bind(files(snapshot), writable);
        }
        if (!writable && lower.size() == 1) {
            return bind(lower.getFirst(), false); // overlayfs wants two lower layers or an upper one
        }
        List<String> options = new ArrayList<>();
        if (indexed) {
            options.add("index=off"); // an index would tie a lower layer to one container
        }
        if (writable) {
            allowMountingAgain(snapshot);
            if (canBeVolatile) {
                options.add("volatile");
            }
            options.add("workdir=" + work(snapshot));
            options.add("upperdir=" + files(snapshot));
        }
        options.add("lowerdir="
                + String.join(":", lower.stream().map(Path::toString).toList()));
        return List.of(new Mount("overlay", "overlay", Path.of(""), options));
    }

    private Path work(Snapshot snapshot) {
        return directory(snapshot).resolve("work");
    }

    private void allowMountingAgain(Snapshot snapshot) {
        Path mark = work(snapshot).resolve("work/incompat/volatile");
        try {
            Trees.delete(mark);
        } catch (ErrnoException e) {
            throw Failures.of(
                    "make snapshot %s mountable again".formatted(snapshot.info().key()), e);
        }
    }

    private static List<Mount> bind(Path files, boolean writable) {
        return List.of(new Mount("bind", files.toString(), Path.of(""), List.of("rbind", writable ? "rw" : "ro")));
    }

    private static boolean isIndexed() {
        try {
            return Files.readString(INDEX).startsWith("Y");
        } catch (IOException _) {
            return false; // the kernel has no such parameter, or overlayfs is not loaded yet and off is the usual
            // default
        }
    }
}
