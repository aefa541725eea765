package dev.gantry.daemon;

import dev.gantry.cri.gantry.v1.PullProgress;
import dev.gantry.cri.oci.Digest;
import dev.gantry.image.Image;
import dev.gantry.image.PullListener;
import dev.gantry.image.Reference;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Tells the client of a pull how far it is. A client that reads slowly misses steps but never holds up the pull, and
/// nothing piles up for it: of each layer the newest step counts.
///
/// All fields are guarded by the object; gRPC's observer is not made for several threads.
final class PullStream implements PullListener {

    /// Between two steps of one layer in the same phase.
    private static final long INTERVAL = Duration.ofMillis(100).toNanos();

    private final ServerCallStreamObserver<PullProgress> client;
    private final Map<Digest, Sent> sent = new HashMap<>();
    private final Map<Digest, Long> received = new HashMap<>();
    private @Nullable Reference reference;

    private record Sent(Phase phase, long nanos) {}

    PullStream(ServerCallStreamObserver<PullProgress> client) {
        this.client = client;
    }

    @Override
    public synchronized void resolved(Reference newReference, Digest manifest, List<Layer> layers) {
        reference = newReference;
        PullProgress.Resolved.Builder resolved = PullProgress.Resolved.newBuilder()
                .setReference(newReference.toString())
                .setDigest(manifest.toString());
        for (Layer layer : layers) {
            resolved.addLayers(PullProgress.Layer.newBuilder()
                    .setDigest(layer.digest().toString())
                    .setSize(layer.size())
                    .setExists(layer.exists()));
        }
        client.onNext(PullProgress.newBuilder().setResolved(resolved).build());
    }

    @Override
    public synchronized void progress(Digest layer, long downloaded, long total, Phase phase) {
        if (phase != Phase.DONE) {
            received.put(layer, downloaded);
        }
        if (isNews(layer, phase)) {
            sent.put(layer, new Sent(phase, System.nanoTime()));
            client.onNext(PullProgress.newBuilder()
                    .setLayer(PullProgress.LayerProgress.newBuilder()
                            .setDigest(layer.toString())
                            .setDownloaded(downloaded)
                            .setTotal(total)
                            .setPhase(wire(phase)))
                    .build());
        }
    }

    /// The last step; the stream ends after it.
    synchronized void done(Image image) {
        client.onNext(PullProgress.newBuilder()
                .setDone(PullProgress.Done.newBuilder()
                        .setImageRef(image.id().toString())
                        .setImageId(image.id().toString())
                        .setSize(image.size())
                        .setDownloaded(received.values().stream()
                                .mapToLong(Long::longValue)
                                .sum())
                        .setRepoDigest(repositoryDigest(image)))
                .build());
        client.onCompleted();
    }

    private boolean isNews(Digest layer, Phase phase) {
        Sent last = sent.get(layer);
        if (last == null || last.phase() != phase) {
            return true;
        }
        return client.isReady() && System.nanoTime() - last.nanos() >= INTERVAL;
    }

    private String repositoryDigest(Image image) {
        String prefix = reference == null ? "" : reference.name() + "@";
        return image.digests().stream()
                .filter(name -> name.startsWith(prefix))
                .findFirst()
                .orElse("");
    }

    private static PullProgress.Phase wire(Phase phase) {
        return switch (phase) {
            case WAITING -> PullProgress.Phase.WAITING;
            case DOWNLOADING -> PullProgress.Phase.DOWNLOADING;
            case UNPACKING -> PullProgress.Phase.UNPACKING;
            case DONE -> PullProgress.Phase.DONE;
        };
    }
}
