package dev.gantry.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The share of each step in our own calls, as the daemon's log tells it at level debug. Steps that run side by side
/// are timed each from its own start: their shares may exceed the whole.
final class Steps {

    private static final Pattern LINE = Pattern.compile("steps of (\\w+): ((?:[\\w.-]+=\\d+(?: |$))+)");
    private static final String WHOLE = "total";

    private Steps() {}

    static String measure(Peer peer, int rounds) throws IOException, InterruptedException {
        var _ = PodRounds.measure(List.of(peer), rounds);
        Map<String, Map<String, List<Double>>> calls =
                read(Files.readAllLines(peer.directory().resolve(peer.daemon() + ".log")), rounds);
        if (calls.isEmpty()) {
            return "no steps in the daemon's log: does it run at level debug?";
        }
        StringBuilder text = new StringBuilder();
        calls.forEach((call, steps) -> text.append(table(call, steps)));
        return text.toString();
    }

    /// In milliseconds, by call and step; of each step only the last samples, as the first are of the warm-up.
    static Map<String, Map<String, List<Double>>> read(List<String> log, int last) {
        Map<String, Map<String, List<Double>>> calls = new LinkedHashMap<>();
        for (String line : log) {
            Matcher found = LINE.matcher(line);
            if (found.find()) {
                Map<String, List<Double>> steps = calls.computeIfAbsent(found.group(1), _ -> new LinkedHashMap<>());
                for (String step : found.group(2).strip().split(" ", -1)) {
                    String[] pair = step.split("=", 2);
                    List<Double> samples = steps.computeIfAbsent(pair[0], _ -> new ArrayList<>());
                    samples.add(Long.parseLong(pair[1]) / 1000.0);
                    if (samples.size() > last) {
                        samples.removeFirst();
                    }
                }
            }
        }
        return calls;
    }

    private static String table(String call, Map<String, List<Double>> steps) {
        double whole = Figures.median(steps.getOrDefault(WHOLE, List.of(Double.NaN)));
        StringBuilder text = new StringBuilder("%-26s %4s %12s %8s\n".formatted(call, "n", "ms", "share"));
        steps.forEach((step, samples) -> {
            double median = Figures.median(samples);
            text.append("  %-24s %4d %12.2f %7.0f%%\n".formatted(step, samples.size(), median, 100 * median / whole));
        });
        return text.append('\n').toString();
    }
}
