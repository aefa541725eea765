package dev.gantry.sandbox;

import java.util.ArrayDeque;
import java.util.Deque;

/// What has to be undone when a later step fails, in reverse order.
///
/// Each step that takes something registers its undoing right after. A failure calls [#undo]: every undoing runs,
/// whatever the others do; their failures are suppressed into the one that began it. Success calls nothing.
/// Not thread-safe, but two threads that joined before [#undo] may each fill their own.
public final class Rollback {

    private final Deque<Runnable> undoings = new ArrayDeque<>();

    public void onFailure(Runnable undoing) {
        undoings.push(undoing);
    }

    /// Undoes what `later` took after what this took.
    void onFailure(Rollback later) {
        undoings.push(() -> {
            RuntimeException failure = new RuntimeException("undoing failed");
            if (!later.undo(failure)) {
                throw failure;
            }
        });
    }

    /// Runs the undoings, last one first.
    ///
    /// @return whether all succeeded, so that nothing is left behind
    public boolean undo(Throwable because) {
        boolean clean = true;
        while (!undoings.isEmpty()) {
            try {
                undoings.pop().run();
            } catch (RuntimeException e) {
                because.addSuppressed(e);
                clean = false;
            }
        }
        return clean;
    }
}
