package dev.gantry.daemon;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a benchmark measured: for each row, in the order of their first samples, the samples of each peer.
/// Prints medians, 90th percentiles, and the ratio of the first peer's median to the second's.
final class Figures {

    private final String unit;
    private final List<String> peers;
    private final Map<String, Map<String, List<Double>>> rows = new LinkedHashMap<>();

    Figures(String unit, List<String> peers) {
        this.unit = unit;
        this.peers = List.copyOf(peers);
    }

    void add(String row, String peer, double sample) {
        rows.computeIfAbsent(row, _ -> new LinkedHashMap<>())
                .computeIfAbsent(peer, _ -> new ArrayList<>())
                .add(sample);
    }

    /// Adds how long the step takes, in milliseconds.
    void time(String row, String peer, Runnable step) {
        long begin = System.nanoTime();
        step.run();
        add(row, peer, (System.nanoTime() - begin) / 1e6);
    }

    /// The smallest sample that is at least as large as the given share of all.
    static double percentile(List<Double> samples, double share) {
        double[] sorted =
                samples.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return sorted[Math.max(0, (int) Math.ceil(share * sorted.length) - 1)];
    }

    static double median(List<Double> samples) {
        double[] sorted = samples.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("%-26s %4s".formatted(unit, "n"));
        peers.forEach(peer -> text.append(" %12s %8s".formatted(peer, "p90")));
        text.append(peers.size() == 2 ? "  ratio\n" : "\n");
        rows.forEach((row, samples) -> text.append(line(row, samples)));
        return text.toString();
    }

    private String line(String row, Map<String, List<Double>> samples) {
        List<List<Double>> all = peers.stream()
                .map(peer -> samples.getOrDefault(peer, List.of()))
                .toList();
        StringBuilder text =
                new StringBuilder("%-26s %4d".formatted(row, all.getFirst().size()));
        for (List<Double> one : all) {
            text.append(
                    one.isEmpty()
                            ? " %12s %8s".formatted("-", "-")
                            : " %12.1f %8.1f".formatted(median(one), percentile(one, 0.9)));
        }
        if (all.size() == 2 && all.stream().noneMatch(List::isEmpty)) {
            text.append(" %6.2f".formatted(median(all.getFirst()) / median(all.getLast())));
        }
        return text.append('\n').toString();
    }
}
