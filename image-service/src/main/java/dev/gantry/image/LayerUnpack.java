package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.RootDirectory;
import dev.gantry.storage.SnapshotState;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.StorageException;
import dev.gantry.storage.Whiteouts;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One layer on its way into a snapshotter: unpacked on a thread of the pool, then committed on top of its parents by
/// whichever pull comes to it first.
///
/// The fields of the result are written before `done` opens and read after; `this` guards `committed`.
final class LayerUnpack implements SharedWork.Task {

    /// A layer of an image, and where it has its place.
    ///
    /// @param parent the chain id of the layers below
    record Place(Digest blob, Digest diffId, Digest chainId, Optional<Digest> parent) {

        String name() {
            return chainId.toString();
        }

        /// What it is called until it is committed.
        String key() {
            return "unpack-" + chainId.hex();
        }

        Optional<String> parentName() {
            return parent.map(Digest::toString);
        }
    }

    /// Opens the blob, from its beginning each time.
    interface Source {
        ReadableByteChannel open() throws InterruptedException;

        /// Waits until the blob is whole and verified.
        void await() throws InterruptedException;
    }

    private final Place place;
    private final Snapshotter snapshotter;
    private final Source source;
    private final LayerPlacement placement;
    private final UnpackLimits limits;
    private final UnpackBuffers buffers;
    private final CountDownLatch done = new CountDownLatch(1);
    private @Nullable RuntimeException failure;
    private Set<String> implied = Set.of();
    private boolean needsParents;
    private @Nullable Path directory;
    private boolean committed;

    LayerUnpack(
            Place place,
            Snapshotter snapshotter,
            Source source,
            LayerPlacement placement,
            UnpackLimits limits,
            UnpackBuffers buffers) {
        this.place = place;
        this.snapshotter = snapshotter;
        this.source = source;
        this.placement = placement;
        this.limits = limits;
        this.buffers = buffers;
    }

    static boolean isCommitted(Snapshotter snapshotter, String name) {
        return snapshotter
                .find(name)
                .filter(found -> found.state() == SnapshotState.COMMITTED)
                .isPresent();
    }

    @Override
    public void run() {
        try {
            if (isCommitted(snapshotter, place.name())) {
                committed = true;
            } else {
                unpack();
                source.await();
            }
        } catch (InterruptedException _) {
            failure = new ImageException.Cancelled("unpacking layer " + place.blob());
        } catch (RuntimeException e) {
            failure = e;
        } catch (Error e) {
            failure = new IllegalStateException("cannot unpack layer " + place.blob(), e);
            throw e;
        } finally {
            done.countDown();
        }
    }

    @Override
    public void cancel() {
        failure = new ImageException.Cancelled("unpacking layer " + place.blob());
        done.countDown();
    }

    @Override
    public boolean hasFailed() {
        return done.getCount() == 0 && failure != null;
    }

    @Override
    public synchronized void dispose() {
        if (directory != null && !committed) {
            snapshotter.remove(place.key());
        }
    }

    private void unpack() throws InterruptedException {
        Optional<String> parent = snapshotter.layersIndependent() ? Optional.empty() : place.parentName();
        directory = snapshotter.prepareLayer(place.key(), parent);
        Whiteouts whiteouts = snapshotter.whiteouts();
        try (RootDirectory root = LayerUnpacker.open(directory)) {
            LayerUnpacker unpacker = new LayerUnpacker(root, whiteouts, limits);
            unpackInto(unpacker, whiteouts);
            implied = unpacker.implied();
            needsParents = unpacker.needsParents();
        }
    }

    /// Unpacks the blob through an unpacker, and makes sure that it was the layer that the image means.
    private void unpackInto(LayerUnpacker unpacker, Whiteouts whiteouts) throws InterruptedException {
        UnpackBuffers.Pair pair = buffers.take();
        try {
            if (whiteouts == Whiteouts.APPLY) {
                try (LayerStream stream = open(pair)) {
                    unpacker.removeWhatIsWhitedOut(new TarReader(stream, pair.archive()));
                }
            }
            try (LayerStream stream = open(pair)) {
                unpacker.unpack(new TarReader(stream, pair.archive()));
                Digest actual = stream.diffId();
                if (!actual.equals(place.diffId())) {
                    throw new ImageException.BadContent("layer %s unpacks to %s, but the image's configuration says %s"
                            .formatted(place.blob(), actual, place.diffId()));
                }
            }
        } catch (InterruptedIOException _) {
            throw new InterruptedException();
        } catch (IOException e) {
            throw ImageException.BadContent.layer(place.blob(), String.valueOf(e.getMessage()), e);
        } catch (ErrnoException e) {
            throw refused(e);
        } finally {
            buffers.giveBack(pair);
        }
    }

    private LayerStream open(UnpackBuffers.Pair pair) throws InterruptedException, IOException {
        return LayerStream.open(source.open(), pair.input(), limits.bytes());
    }

    /// A full or broken disk is this node's fault; all else that the kernel refuses is the layer's.
    private RuntimeException refused(ErrnoException e) {
        return switch (e.errno()) {
            case ENOSPC, EDQUOT -> new StorageException.NoSpace("unpack layer " + place.blob(), e);
            case EIO, EROFS, EMFILE, ENFILE, ENOMEM ->
                new ImageException.LocalFailure(
                        "cannot unpack layer %s: %s".formatted(place.blob(), e.getMessage()), e);
            default -> ImageException.BadContent.layer(place.blob(), String.valueOf(e.getMessage()), e);
        };
    }

    boolean awaitDone(Duration patience) throws InterruptedException {
        return done.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Throws the failure, if there is one by now.
    void throwFailure() {
        if (done.getCount() == 0 && failure != null) {
            throw failure;
        }
    }

    /// Waits for the unpacking and makes the layer visible; its parent is committed. The second pull that comes to it
    /// finds it done.
    void commit(Map<String, String> labels) throws InterruptedException {
        done.await();
        throwFailure();
        synchronized (this) {
            if (!committed && !isCommitted(snapshotter, place.name())) {
                if (needsParents) {
                    snapshotter.remove(place.key());
                    directory = null;
                    placement.unpackOnParents(snapshotter, place, labels, this::unpackInto);
                } else {
                    placement.adoptFromParents(snapshotter, place, Objects.requireNonNull(directory), implied);
                    snapshotter.commitLayer(place.name(), place.key(), place.parentName(), labels);
                }
            }
            committed = true;
        }
    }
}
