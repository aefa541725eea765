package dev.gantry.storage;

import dev.gantry.linux.HostFacts;
import dev.gantry.linux.Mount;
import dev.gantry.linux.Spawn;
import dev.gantry.linux.SpawnTimeoutException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Snapshots as whole copies: slow and large, but right on every file system, those included on which overlayfs
/// cannot work. Where the file system shares blocks between files (btrfs, xfs), the copies cost little.
public final class NativeSnapshotter extends DirectorySnapshotter {

    public static final Kind<?> KIND = Snapshot.kind("native");

    private static final Duration COPY_TIMEOUT = Duration.ofMinutes(10);

    /// Opens the snapshots in `root`, whose rows are in `store`; drops those that the last run left half.
    public NativeSnapshotter(Path root, MetadataStore store) {
        this(root, store, HostFacts.bootId());
    }

    @SuppressWarnings("unchecked") // hidden from other modules, not from us
    NativeSnapshotter(Path root, MetadataStore store, String boot) {
        super("native", root.toAbsolutePath(), (Kind<Snapshot>) KIND, store, boot);
    }

    @Override
    public boolean layersIndependent() {
        return false;
    }

    @Override
    public Whiteouts whiteouts() {
        return Whiteouts.APPLY;
    }

    @Override
    void fill(Path directory, Optional<Path> parent, SnapshotState state) throws IOException {
        Path files = directory.resolve("fs");
        Files.createDirectory(files);
        Files.setPosixFilePermissions(files, PosixFilePermissions.fromString("rwxr-xr-x"));
        if (parent.isPresent() && state == SnapshotState.ACTIVE) {
            copy(parent.get(), files);
        }
    }

    /// It would have to give each file of each copy to another owner.
    @Override
    public boolean shiftsIds() {
        return false;
    }

    @Override
    void shift(Path directory, IdShift shift) {
        throw new UnsupportedOperationException(name() + " shifts no ids");
    }

    @Override
    List<Mount> mounts(Snapshot snapshot, Path layers) {
        if (snapshot.info().state() == SnapshotState.ACTIVE) {
            return List.of(new Mount("bind", files(snapshot).toString(), Path.of(""), List.of("rbind", "rw")));
        }
        Path shown = ancestors(snapshot).stream().findFirst().map(this::files).orElse(files(snapshot));
        return List.of(new Mount("bind", shown.toString(), Path.of(""), List.of("rbind", "ro")));
    }

    /// By cp, which knows owners, times, extended attributes, hard links, holes, devices and shared blocks.
    private static void copy(Path from, Path to) throws IOException {
        try {
            Spawn.Result result = Spawn.run(
                    Spawn.command("cp", "-a", "--reflink=auto", "--", from + "/.", to.toString())
                            .env("LC_ALL", "C"),
                    COPY_TIMEOUT);
            if (!result.ok()) {
                throw new IOException("cannot copy %s: %s".formatted(from, result.errorText()));
            }
        } catch (SpawnTimeoutException e) {
            throw new IOException("cannot copy " + from, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while copying " + from).initCause(e);
        }
    }
}
