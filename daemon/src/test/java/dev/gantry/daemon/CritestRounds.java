package dev.gantry.daemon;

import dev.gantry.cri.oci.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What critest's own benchmarks measured, of all rounds together: `hack/bench` has it write each round into a folder
/// `critest-N` of the daemon it measured.
///
/// ```
/// {"operationsNames": ["CreatePod", …], "datapoints": [{"operationsDurationsNs": [98000000, …]}, …]}
/// ```
final class CritestRounds {

    private static final List<String> STARTING = List.of("CreateContainer", "StartContainer");

    private CritestRounds() {}

    static String read(List<Peer> peers) throws IOException {
        Figures figures = new Figures("ms", peers.stream().map(Peer::name).toList());
        for (String file : List.of("pod_benchmark_data.json", "container_benchmark_data.json")) {
            for (Peer peer : peers) {
                for (Path round : rounds(peer)) {
                    add(round.resolve(file), peer.name(), figures);
                }
            }
        }
        return figures.toString();
    }

    private static List<Path> rounds(Peer peer) throws IOException {
        try (Stream<Path> all = Files.list(peer.directory())) {
            return all.filter(it -> it.getFileName().toString().startsWith("critest-"))
                    .sorted()
                    .toList();
        }
    }

    private static void add(Path file, String peer, Figures figures) throws IOException {
        JsonTree data = new JsonTree(Json.parse(Files.readAllBytes(file), file.toString()));
        List<String> operations =
                data.at("operationsNames").items().stream().map(JsonTree::text).toList();
        for (JsonTree point : data.at("datapoints").items()) {
            List<Double> durations = new ArrayList<>();
            for (JsonTree duration : point.at("operationsDurationsNs").items()) {
                durations.add(Double.parseDouble(duration.text()) / 1e6);
            }
            for (int i = 0; i < operations.size(); i++) {
                figures.add(operations.get(i), peer, durations.get(i));
            }
            if (operations.containsAll(STARTING)) {
                figures.add(
                        "create and start together",
                        peer,
                        STARTING.stream()
                                .mapToDouble(it -> durations.get(operations.indexOf(it)))
                                .sum());
            }
        }
    }
}
