package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.PullImageRequest;
import java.util.ArrayList;
import java.util.List;

/// The benchmark of a pod's whole life: each round runs one pod to its end in each peer.
final class PodRounds {

    /// For compilers, caches and connections to become as they are on a node that has run for a while.
    private static final int WARM_UP = 10;

    private PodRounds() {}

    static String measure(List<Peer> peers, int rounds) throws InterruptedException {
        List<String> names = peers.stream().map(Peer::name).toList();
        List<CriClient> clients = new ArrayList<>();
        try {
            for (Peer peer : peers) {
                CriClient client = new CriClient(peer.socket());
                clients.add(client);
                pullImage(client);
            }
            round(peers, clients, WARM_UP, new Figures("ms", names));
            Figures figures = new Figures("ms", names);
            round(peers, clients, rounds, figures);
            return figures.toString();
        } finally {
            clients.forEach(CriClient::close);
        }
    }

    static void pullImage(CriClient client) {
        var _ = client.images()
                .pullImage(PullImageRequest.newBuilder()
                        .setImage(SamplePod.Program.SHELL.image())
                        .build());
    }

    private static void round(List<Peer> peers, List<CriClient> clients, int rounds, Figures figures)
            throws InterruptedException {
        List<Integer> indexes = List.of(0, 1).subList(0, peers.size());
        for (int round = 0; round < rounds; round++) {
            for (int index : Bench.turn(indexes, round)) {
                Peer peer = peers.get(index);
                live(new SamplePod(clients.get(index), SamplePod.Program.SHELL, peer.logs()), peer.name(), figures);
                Thread.sleep(50); // what it does after its last answer must not fall into the other's time
            }
        }
    }

    private static void live(SamplePod pod, String peer, Figures figures) {
        figures.time("RunPodSandbox", peer, pod::run);
        figures.time("CreateContainer", peer, pod::createContainer);
        figures.time("StartContainer", peer, pod::startContainer);
        figures.time("ExecSync", peer, pod::exec);
        figures.time("StopContainer", peer, pod::stopContainer);
        figures.time("RemoveContainer", peer, pod::removeContainer);
        figures.time("StopPodSandbox", peer, pod::stop);
        figures.time("RemovePodSandbox", peer, pod::remove);
    }
}
