package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.PullImageRequest;
import dev.gantry.cri.runtime.v1.RemoveImageRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/// The benchmark of a large image: fetched, unpacked and removed again in each round. A peer's next round begins when
/// its store is as small as before, and the disk has caught up.
final class PullRounds {

    /// `hack/test-images -b` makes it: four layers, 300 MB, half of it incompressible.
    private static final ImageSpec IMAGE =
            ImageSpec.newBuilder().setImage("registry.k8s.io/gantry/bulk:1").build();

    private static final int WARM_UP = 1;

    /// By how much a store may be larger than at the start and count as emptied: journals and databases grow.
    private static final long SLACK = 40 << 20;

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private PullRounds() {}

    static String measure(List<Peer> peers, int rounds) throws IOException, InterruptedException {
        List<String> names = peers.stream().map(Peer::name).toList();
        Figures warm = new Figures("ms", names);
        Figures figures = new Figures("ms", names);
        for (int round = -WARM_UP; round < rounds; round++) {
            for (Peer peer : Bench.turn(peers, round + WARM_UP)) {
                pullAndRemove(peer, round < 0 ? warm : figures);
            }
        }
        return figures.toString();
    }

    private static void pullAndRemove(Peer peer, Figures figures) throws IOException, InterruptedException {
        long before = peer.stored();
        try (CriClient client = new CriClient(peer.socket())) {
            long cpu = peer.cpu();
            figures.time(
                    "PullImage, 300 MB",
                    peer.name(),
                    () -> client.images()
                            .pullImage(PullImageRequest.newBuilder()
                                    .setImage(IMAGE)
                                    .build()));
            figures.add("its CPU time", peer.name(), (double) (peer.cpu() - cpu));
            figures.add("daemon after it, MiB", peer.name(), peer.daemonMemory() / 1024.0);
            figures.time(
                    "RemoveImage",
                    peer.name(),
                    () -> client.images()
                            .removeImage(RemoveImageRequest.newBuilder()
                                    .setImage(IMAGE)
                                    .build()));
        }
        figures.time("until the space is free", peer.name(), () -> awaitSpace(peer, before));
        new ProcessBuilder("sync").start().waitFor();
    }

    private static void awaitSpace(Peer peer, long before) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (peer.stored() > before + SLACK) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(
                        "%s keeps %d MiB of a removed image".formatted(peer.name(), (peer.stored() - before) >> 20));
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while a store was emptied", e);
            }
        }
    }
}
