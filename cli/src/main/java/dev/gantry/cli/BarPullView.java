package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.PullProgress;
import dev.gantry.cri.gantry.v1.PullProgress.LayerProgress;
import dev.gantry.cri.gantry.v1.PullProgress.Phase;
import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Map;

/// A bar for each layer, redrawn in place at most ten times a second. No line is longer than 79
/// columns, since one that wraps could not be drawn over.
final class BarPullView implements PullView {

    private static final int BAR = 30;
    private static final long INTERVAL_NANOS = 100_000_000L;

    private final PrintStream out;
    private final Map<String, LayerProgress> layers = new LinkedHashMap<>();
    private int drawn;
    private long last = System.nanoTime() - INTERVAL_NANOS;

    BarPullView(PrintStream out) {
        this.out = out;
    }

    @Override
    public void show(PullProgress step) {
        switch (step.getStepCase()) {
            case RESOLVED -> {
                out.println("pulling " + step.getResolved().getReference());
                step.getResolved().getLayersList().forEach(layer -> layers.put(layer.getDigest(), initial(layer)));
                draw();
            }
            case LAYER -> {
                layers.put(step.getLayer().getDigest(), step.getLayer());
                if (System.nanoTime() - last >= INTERVAL_NANOS) {
                    draw();
                }
            }
            case DONE -> draw();
            case STEP_NOT_SET -> {}
        }
    }

    private static LayerProgress initial(PullProgress.Layer layer) {
        return LayerProgress.newBuilder()
                .setDigest(layer.getDigest())
                .setTotal(layer.getSize())
                .setDownloaded(layer.getExists() ? layer.getSize() : 0)
                .setPhase(layer.getExists() ? Phase.DONE : Phase.WAITING)
                .build();
    }

    private void draw() {
        last = System.nanoTime();
        var text = new StringBuilder();
        if (drawn > 0) {
            text.append("\033[").append(drawn).append('A');
        }
        layers.values().forEach(layer -> text.append(line(layer)).append("\033[K\n"));
        drawn = layers.size();
        out.print(text);
        out.flush();
    }

    static String line(LayerProgress layer) {
        double part = layer.getTotal() == 0 ? 1 : (double) layer.getDownloaded() / layer.getTotal();
        int filled = (int) Math.round(Math.clamp(part, 0, 1) * BAR);
        String word = switch (layer.getPhase()) {
            case WAITING -> "waiting";
            case DOWNLOADING -> "fetching";
            case UNPACKING -> "unpacking";
            case DONE -> "done";
            case UNRECOGNIZED -> "";
        };
        return "%s [%s%s] %8s %s"
                .formatted(
                        Words.shortId(layer.getDigest()),
                        "=".repeat(filled),
                        " ".repeat(BAR - filled),
                        Words.size(layer.getTotal()),
                        word);
    }

    @Override
    public void close() {
        out.flush();
    }
}
