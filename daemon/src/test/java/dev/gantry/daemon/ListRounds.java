package dev.gantry.daemon;

import dev.gantry.cri.runtime.v1.ListContainerStatsRequest;
import dev.gantry.cri.runtime.v1.ListContainersRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxRequest;
import dev.gantry.cri.runtime.v1.StatusRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// What it costs to answer the calls that the kubelet makes again and again, with many containers on the node: how long
/// a call takes, and how long the daemon uses a processor for it.
final class ListRounds {

    /// So that 200 are in 100 pods, which is about what a kubelet lets on its node.
    private static final int CONTAINERS_OF_A_POD = 2;
    private static final int ROUNDS = 5;
    /// Processor time is told in hundredths of a second, so it is measured over so many calls: to a few microseconds
    /// each.
    private static final int CALLS = 3000;

    private static final int WARM_UP = 100;
    /// No more calls are made of one that takes so long; the processor time is per call all the same.
    private static final Duration LONG_ENOUGH = Duration.ofSeconds(10);

    private static final long IDLE_SECONDS = 10;

    private ListRounds() {}

    private static Map<String, Function<CriClient, Object>> calls() {
        Map<String, Function<CriClient, Object>> calls = new LinkedHashMap<>();
        calls.put("ListContainers", it -> it.runtime().listContainers(ListContainersRequest.getDefaultInstance()));
        calls.put("ListPodSandbox", it -> it.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()));
        calls.put(
                "ListContainerStats",
                it -> it.runtime().listContainerStats(ListContainerStatsRequest.getDefaultInstance()));
        calls.put("Status", it -> it.runtime().status(StatusRequest.getDefaultInstance()));
        return calls;
    }

    /// @param count how many containers each peer has
    static String measure(List<Peer> peers, int count) throws InterruptedException {
        Figures figures = new Figures(
                "us, %d containers in %d pods"
                        .formatted(count, (count + CONTAINERS_OF_A_POD - 1) / CONTAINERS_OF_A_POD),
                peers.stream().map(Peer::name).toList());
        List<CriClient> clients = new ArrayList<>();
        List<SamplePod> pods = new ArrayList<>();
        try {
            for (Peer peer : peers) {
                CriClient client = new CriClient(peer.socket());
                clients.add(client);
                PodRounds.pullImage(client);
                populate(peer, client, count, pods);
            }
            measure(peers, clients, figures);
        } finally {
            pods.forEach(SamplePod::stop);
            pods.forEach(SamplePod::remove);
            clients.forEach(CriClient::close);
        }
        return figures.toString();
    }

    private static void populate(Peer peer, CriClient client, int count, List<SamplePod> pods) {
        for (int made = 0; made < count; ) {
            SamplePod pod = new SamplePod(client, SamplePod.Program.SHELL, peer.logs());
            pod.run();
            pods.add(pod);
            for (int i = 0; i < CONTAINERS_OF_A_POD && made < count; i++, made++) {
                pod.createContainer("c" + i);
                pod.startContainer();
            }
        }
    }

    private static void measure(List<Peer> peers, List<CriClient> clients, Figures figures)
            throws InterruptedException {
        List<Integer> indexes = List.of(0, 1).subList(0, peers.size());
        for (int round = 0; round < ROUNDS; round++) {
            for (Map.Entry<String, Function<CriClient, Object>> call : calls().entrySet()) {
                for (int index : Bench.turn(indexes, round)) {
                    measure(call.getKey(), call.getValue(), peers.get(index), clients.get(index), figures);
                }
            }
        }
        // What a daemon does by itself is in the figures above too.
        for (Peer peer : peers) {
            long before = peer.cpu();
            TimeUnit.SECONDS.sleep(IDLE_SECONDS);
            figures.add("nothing for a second, CPU", peer.name(), (peer.cpu() - before) * 1000.0 / IDLE_SECONDS);
        }
    }

    private static void measure(
            String name, Function<CriClient, Object> call, Peer peer, CriClient client, Figures figures) {
        Instant warm = Instant.now().plus(LONG_ENOUGH.dividedBy(2));
        for (int i = 0; i < WARM_UP && Instant.now().isBefore(warm); i++) {
            var _ = call.apply(client);
        }
        Instant enough = Instant.now().plus(LONG_ENOUGH);
        long cpu = peer.cpu();
        int calls = 0;
        while (calls < CALLS && Instant.now().isBefore(enough)) {
            long begin = System.nanoTime();
            var _ = call.apply(client);
            figures.add(name, peer.name(), (System.nanoTime() - begin) / 1e3);
            calls++;
        }
        figures.add(name + ", CPU", peer.name(), (peer.cpu() - cpu) * 1000.0 / calls);
    }
}
