package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.cri.oci.Digest;
import dev.gantry.image.PullListener.Phase;
import dev.gantry.storage.ContentStore;
import dev.gantry.storage.Snapshotter;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Where layers are fetched and unpacked, by all pulls together: so many at the same time, each once, whoever wants
/// them.
///
/// All layers of an image are on their way at the same time; they are committed in their order. Downloads never wait
/// for unpacking, so the two pools cannot block each other.
final class LayerPool implements AutoCloseable {

    private static final int IDLE_SECONDS = 20;
    /// While it waits for the lowest layer, a pull looks so often whether another one has failed.
    private static final Duration FAILURE_CHECK = Duration.ofMillis(200);

    private final ContentStore content;
    private final UnpackLimits limits;
    private final LayerPlacement placement;
    private final UnpackBuffers buffers = new UnpackBuffers();
    private final ThreadPoolExecutor downloadThreads;
    private final ThreadPoolExecutor unpackThreads;
    private final SharedWork<Digest, BlobDownload> downloads;
    private final SharedWork<UnpackKey, LayerUnpack> unpacks;

    private record UnpackKey(String snapshotter, Digest chainId) {}

    LayerPool(ContentStore content, ImageSettings settings, Path scratch) {
        this.content = content;
        this.limits = settings.limits();
        this.placement = new LayerPlacement(scratch, limits);
        this.downloadThreads = threads("image-fetch-", settings.maxDownloads());
        this.unpackThreads = threads("image-unpack-", settings.maxUnpacks());
        this.downloads = new SharedWork<>(downloadThreads);
        this.unpacks = new SharedWork<>(unpackThreads);
    }

    private static ThreadPoolExecutor threads(String name, int count) {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                count,
                count,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                Thread.ofPlatform().name(name, 0).daemon().factory());
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    /// Brings all layers of an image into the snapshotter. What is there already is left alone.
    ///
    /// @param fetch makes the download of a blob that the content store does not have
    void unpack(
            ResolvedImage image,
            Snapshotter snapshotter,
            PullLease lease,
            PullListener listener,
            Function<Descriptor, BlobDownload> fetch)
            throws InterruptedException {
        List<LayerUnpack.Place> places = places(image);
        for (LayerUnpack.Place place : places) {
            lease.hold(place.blob());
            lease.hold(snapshotter.name(), place.name());
            lease.hold(snapshotter.name(), place.key());
        }
        int present = present(snapshotter, places);
        announce(image, places, present, listener);
        try (Shares shares = new Shares()) {
            Map<Digest, BlobDownload> arriving = new HashMap<>();
            for (Descriptor layer : image.manifest().layers().subList(present, places.size())) {
                if (content.find(layer.digest()).isEmpty() && !arriving.containsKey(layer.digest())) {
                    var share = shares.add(downloads.join(layer.digest(), () -> fetch.apply(layer)));
                    share.task()
                            .watch(bytes -> listener.progress(
                                    layer.digest(),
                                    bytes,
                                    layer.size(),
                                    bytes < layer.size() ? Phase.DOWNLOADING : Phase.UNPACKING));
                    arriving.put(layer.digest(), share.task());
                }
            }
            unpackAll(image, snapshotter, places, present, arriving, shares, listener);
        }
    }

    /// Brings all blobs of an artifact into the content store.
    void fetch(
            ResolvedArtifact artifact, PullLease lease, PullListener listener, Function<Descriptor, BlobDownload> fetch)
            throws InterruptedException {
        List<Descriptor> blobs = artifact.blobs();
        blobs.forEach(blob -> lease.hold(blob.digest()));
        List<Descriptor> missing = blobs.stream()
                .filter(blob -> content.find(blob.digest()).isEmpty())
                .toList();
        listener.resolved(
                artifact.reference(),
                artifact.manifestDescriptor().digest(),
                blobs.stream()
                        .map(blob -> new PullListener.Layer(blob.digest(), blob.size(), !missing.contains(blob)))
                        .toList());
        try (Shares shares = new Shares()) {
            List<BlobDownload> arriving = new ArrayList<>();
            for (Descriptor blob : missing) {
                var share = shares.add(downloads.join(blob.digest(), () -> fetch.apply(blob)));
                share.task().watch(bytes -> listener.progress(blob.digest(), bytes, blob.size(), Phase.DOWNLOADING));
                arriving.add(share.task());
            }
            for (BlobDownload download : arriving) {
                download.await();
                Descriptor blob = download.descriptor();
                listener.progress(blob.digest(), blob.size(), blob.size(), Phase.DONE);
            }
        }
    }

    private void unpackAll(
            ResolvedImage image,
            Snapshotter snapshotter,
            List<LayerUnpack.Place> places,
            int present,
            Map<Digest, BlobDownload> arriving,
            Shares shares,
            PullListener listener)
            throws InterruptedException {
        List<LayerUnpack> begun = new ArrayList<>();
        for (int i = present; i < places.size(); i++) {
            // Where a layer needs the files of those below, they are committed one by one.
            int last = snapshotter.layersIndependent() ? places.size() : i + 1;
            for (int next = present + begun.size(); next < last; next++) {
                begun.add(begin(places.get(next), snapshotter, arriving, shares));
            }
            LayerUnpack lowest = begun.get(i - present);
            while (!lowest.awaitDone(FAILURE_CHECK)) {
                begun.forEach(LayerUnpack::throwFailure);
                arriving.values().forEach(BlobDownload::throwFailure);
            }
            lowest.commit(Map.of());
            Descriptor layer = image.manifest().layers().get(i);
            listener.progress(layer.digest(), layer.size(), layer.size(), Phase.DONE);
        }
    }

    private LayerUnpack begin(
            LayerUnpack.Place place, Snapshotter snapshotter, Map<Digest, BlobDownload> arriving, Shares shares)
            throws InterruptedException {
        BlobDownload download = arriving.get(place.blob());
        LayerUnpack.Source source = download == null ? stored(place.blob()) : arriving(download);
        UnpackKey key = new UnpackKey(snapshotter.name(), place.chainId());
        return shares.add(unpacks.join(
                        key, () -> new LayerUnpack(place, snapshotter, source, placement, limits, buffers)))
                .task();
    }

    private LayerUnpack.Source stored(Digest blob) {
        return new LayerUnpack.Source() {
            @Override
            public ReadableByteChannel open() {
                return new StreamChannel(content.open(blob));
            }

            @Override
            public void await() {
                // it was whole before
            }
        };
    }

    private static LayerUnpack.Source arriving(BlobDownload download) {
        return new LayerUnpack.Source() {
            @Override
            public ReadableByteChannel open() {
                return new BlobTail(download);
            }

            @Override
            public void await() throws InterruptedException {
                download.await();
            }
        };
    }

    private static List<LayerUnpack.Place> places(ResolvedImage image) {
        List<Digest> diffIds = image.config().diffIds();
        List<Digest> chain = ChainIds.of(diffIds);
        List<LayerUnpack.Place> places = new ArrayList<>();
        for (int i = 0; i < diffIds.size(); i++) {
            Optional<Digest> parent = i == 0 ? Optional.empty() : Optional.of(chain.get(i - 1));
            places.add(new LayerUnpack.Place(
                    image.manifest().layers().get(i).digest(), diffIds.get(i), chain.get(i), parent));
        }
        return places;
    }

    /// How many of the lowest layers the snapshotter has.
    private static int present(Snapshotter snapshotter, List<LayerUnpack.Place> places) {
        int present = places.size();
        while (present > 0
                && !LayerUnpack.isCommitted(snapshotter, places.get(present - 1).name())) {
            present--;
        }
        return present;
    }

    private static void announce(
            ResolvedImage image, List<LayerUnpack.Place> places, int present, PullListener listener) {
        List<PullListener.Layer> layers = new ArrayList<>();
        for (int i = 0; i < places.size(); i++) {
            Descriptor layer = image.manifest().layers().get(i);
            layers.add(new PullListener.Layer(layer.digest(), layer.size(), i < present));
        }
        listener.resolved(image.reference(), image.manifestDescriptor().digest(), layers);
    }

    @Override
    public void close() {
        downloadThreads.shutdownNow();
        unpackThreads.shutdownNow();
    }

    /// What one pull takes part in; given back in the reverse order, unpacking before fetching.
    private static final class Shares implements AutoCloseable {
        private final Deque<AutoCloseable> shares = new ArrayDeque<>();

        <S extends AutoCloseable> S add(S share) {
            shares.push(share);
            return share;
        }

        @Override
        public void close() {
            @Nullable RuntimeException failure = null;
            for (AutoCloseable share : shares) {
                try {
                    share.close();
                } catch (RuntimeException e) {
                    failure = failure == null ? e : failure;
                } catch (Exception e) {
                    throw new AssertionError("shares throw nothing else", e);
                }
            }
            if (failure != null) {
                throw failure;
            }
        }
    }
}
