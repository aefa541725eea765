package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.PullProgress;
import dev.gantry.cri.gantry.v1.PullProgress.Phase;
import java.io.PrintStream;

/// A line for each thing that is done, for logs and pipes.
final class LinePullView implements PullView {

    private final PrintStream out;

    LinePullView(PrintStream out) {
        this.out = out;
    }

    @Override
    public void show(PullProgress step) {
        switch (step.getStepCase()) {
            case RESOLVED -> {
                long there = step.getResolved().getLayersList().stream()
                        .filter(PullProgress.Layer::getExists)
                        .count();
                out.printf(
                        "pulling %s: %d layers, %d already here%n",
                        step.getResolved().getReference(), step.getResolved().getLayersCount(), there);
            }
            case LAYER -> {
                if (step.getLayer().getPhase() == Phase.DONE) {
                    out.printf(
                            "layer %s: %s, done%n",
                            Words.shortId(step.getLayer().getDigest()),
                            Words.size(step.getLayer().getTotal()));
                }
            }
            case DONE ->
                out.printf(
                        "pulled: %s, of these %s over the network%n",
                        Words.size(step.getDone().getSize()),
                        Words.size(step.getDone().getDownloaded()));
            case STEP_NOT_SET -> {}
        }
    }

    @Override
    public void close() {
        out.flush();
    }
}
