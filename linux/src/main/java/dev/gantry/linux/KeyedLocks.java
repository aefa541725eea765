package dev.gantry.linux;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/// One lock for each id: work on one object is serial, unrelated objects never wait for each other.
///
/// A lock exists only while someone holds or awaits it. The lock of an id is reentrant.
public final class KeyedLocks {

    private static final class Entry {
        final ReentrantLock lock = new ReentrantLock();
        /// Guarded by the map's compute for the id.
        int users;
    }

    private final ConcurrentHashMap<String, Entry> entries = new ConcurrentHashMap<>();

    /// Waits for the lock of `id`; closing what is returned gives it back, by the same thread.
    public Held lock(String id) {
        Entry entry = entries.compute(id, (_, present) -> {
            Entry it = present == null ? new Entry() : present;
            it.users++;
            return it;
        });
        entry.lock.lock();
        return () -> {
            entry.lock.unlock();
            entries.computeIfPresent(id, (_, it) -> --it.users == 0 ? null : it);
        };
    }

    /// A lock that is held until it is closed.
    @FunctionalInterface
    public interface Held extends AutoCloseable {
        @Override
        void close();
    }
}
