package dev.gantry.cni;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// A lock for each key, there only while someone holds it or waits for it.
final class KeyedLocks {

    private final ConcurrentHashMap<String, Counted> locks = new ConcurrentHashMap<>();

    private record Counted(ReentrantLock lock, int users) {}

    <T> T locked(String key, Supplier<T> work) {
        Counted entry = locks.merge(
                key, new Counted(new ReentrantLock(), 1), (old, _) -> new Counted(old.lock(), old.users() + 1));
        entry.lock().lock();
        try {
            return work.get();
        } finally {
            entry.lock().unlock();
            locks.computeIfPresent(key, (_, old) -> old.users() == 1 ? null : new Counted(old.lock(), old.users() - 1));
        }
    }

    boolean isEmpty() {
        return locks.isEmpty();
    }
}
