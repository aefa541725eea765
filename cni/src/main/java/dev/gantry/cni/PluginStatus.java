package dev.gantry.cni;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Asks plugins whether they can attach pods (STATUS), and remembers a yes for ten seconds: clients ask the daemon
/// every few, and each answer of a plugin costs a process. A no is asked again at once, so that a node whose network
/// has come up is not held back. While one caller asks, others are told the last answer, so a plugin that hangs holds
/// up one.
final class PluginStatus {

    private static final Duration FRESH = Duration.ofSeconds(10);

    private final ReentrantLock asking = new ReentrantLock();
    private volatile @Nullable Answer last;

    /// @param failure null when all were well
    private record Answer(NetworkConfig network, @Nullable CniException failure, long at) {

        boolean isFresh() {
            return failure == null && System.nanoTime() - at < FRESH.toNanos();
        }
    }

    /// Returns when the plugins are, or were, well.
    ///
    /// @param network when it is another than last time, nothing is remembered
    /// @param ask     throws what is wrong
    void check(NetworkConfig network, Runnable ask) {
        Answer answer = of(network);
        if (answer == null) {
            asking.lock();
            answer = again(network, ask);
        } else if (!answer.isFresh() && asking.tryLock()) {
            answer = again(network, ask);
        }
        CniException failure = answer.failure();
        if (failure != null) {
            throw failure;
        }
    }

    /// Called with the lock held, and gives it up.
    private Answer again(NetworkConfig network, Runnable ask) {
        try {
            Answer answer = of(network);
            if (answer == null || !answer.isFresh()) {
                answer = new Answer(network, failure(ask), System.nanoTime());
                last = answer;
            }
            return answer;
        } finally {
            asking.unlock();
        }
    }

    private @Nullable Answer of(NetworkConfig network) {
        Answer answer = last;
        return answer != null && answer.network().equals(network) ? answer : null;
    }

    private static @Nullable CniException failure(Runnable ask) {
        try {
            ask.run();
            return null;
        } catch (CniException e) {
            return e;
        }
    }
}
