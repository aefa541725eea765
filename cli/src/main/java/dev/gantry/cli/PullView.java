package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.PullProgress;

/// Shows how far a pull is.
interface PullView extends AutoCloseable {

    void show(PullProgress step);

    /// Leaves the cursor on a line of its own.
    @Override
    void close();

    static PullView on(Terminal terminal) {
        return terminal.interactive() ? new BarPullView(terminal.err()) : new LinePullView(terminal.err());
    }
}
