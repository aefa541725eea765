package dev.gantry.daemon;

import java.util.ArrayList;
import java.util.List;

/// What daemons and shims weigh with a number of pods that run at the same time.
final class MemoryRounds {

    /// For what starting the pods left behind to be collected or returned.
    private static final int SETTLE_MILLIS = 3000;

    private MemoryRounds() {}

    /// Without pods first, then with this many.
    static String measure(List<Peer> peers, int pods) throws InterruptedException {
        Figures figures = new Figures("PSS, MiB", peers.stream().map(Peer::name).toList());
        for (Peer peer : peers) {
            figures.add("daemon, no pods", peer.name(), peer.daemonMemory() / 1024.0);
            try (CriClient client = new CriClient(peer.socket())) {
                measure(peer, client, pods, figures);
            }
        }
        return figures.toString();
    }

    private static void measure(Peer peer, CriClient client, int count, Figures figures) throws InterruptedException {
        PodRounds.pullImage(client);
        List<SamplePod> pods = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                SamplePod pod = new SamplePod(client, SamplePod.Program.SHELL, peer.logs());
                pod.run();
                pods.add(pod);
                pod.createContainer();
                pod.startContainer();
            }
            Thread.sleep(SETTLE_MILLIS);
            figures.add("daemon, %d pods".formatted(count), peer.name(), peer.daemonMemory() / 1024.0);
            figures.add("shims, %d pods".formatted(count), peer.name(), peer.shimMemory() / 1024.0);
            figures.add("shims, number", peer.name(), (double) peer.shimCount());
        } finally {
            pods.forEach(SamplePod::stop);
            pods.forEach(SamplePod::remove);
        }
        Thread.sleep(SETTLE_MILLIS);
        figures.add("daemon, pods removed", peer.name(), peer.daemonMemory() / 1024.0);
    }
}
