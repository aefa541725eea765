package dev.gantry.image;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Work that several callers want at the same time is done once: whoever comes while it runs takes part in it. When the
/// last of them leaves before its end it is cancelled, and has ended when that one has left.
///
/// `this` guards the map, the counts and the marks; the work itself runs on the executor.
final class SharedWork<K, W extends SharedWork.Task> {

    /// What is done, with its result or failure, which it keeps for its holders.
    interface Task {

        /// Does the work; throws nothing.
        void run();

        /// Tells those who wait that it will not be run.
        void cancel();

        /// Whether whoever comes now had better begin anew.
        boolean hasFailed();

        /// Nobody holds it any more: what was made for nobody is taken away.
        void dispose();
    }

    private final ExecutorService threads;
    private final Map<K, Entry<W>> entries = new HashMap<>();

    private static final class Entry<W extends Task> implements Runnable {
        final W task;
        final AtomicBoolean begun = new AtomicBoolean();
        final CountDownLatch ended = new CountDownLatch(1);

        @Nullable
        Future<?> future;

        int holders;
        boolean abandoned;

        Entry(W task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (begun.compareAndSet(false, true)) {
                try {
                    task.run();
                } finally {
                    ended.countDown();
                }
            }
        }

        void stop() {
            if (future != null) {
                future.cancel(true);
            }
            if (begun.compareAndSet(false, true)) {
                task.cancel();
                ended.countDown();
            }
            awaitEnd();
            task.dispose();
        }

        private void awaitEnd() {
            boolean interrupted = false;
            while (true) {
                try {
                    ended.await();
                    break;
                } catch (InterruptedException _) {
                    interrupted = true; // leaving is not cut short: nothing may outlive it
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// A part in the work, to be given back. For one thread.
    final class Share implements AutoCloseable {
        private final K key;
        private final Entry<W> entry;
        private boolean closed;

        private Share(K key, Entry<W> entry) {
            this.key = key;
            this.entry = entry;
        }

        W task() {
            return entry.task;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                leave(this);
            }
        }
    }

    SharedWork(ExecutorService threads) {
        this.threads = threads;
    }

    /// Takes part in the work for this key, which is begun if nobody does it.
    synchronized Share join(K key, Supplier<W> begin) throws InterruptedException {
        Entry<W> entry = entries.get(key);
        while (entry != null && (entry.abandoned || entry.task.hasFailed())) {
            wait(); // until the last of its holders has left
            entry = entries.get(key);
        }
        if (entry == null) {
            entry = new Entry<>(begin.get());
            entry.future = threads.submit(entry);
            entries.put(key, entry);
        }
        entry.holders++;
        return new Share(key, entry);
    }

    private void leave(Share share) {
        synchronized (this) {
            if (--share.entry.holders > 0) {
                return;
            }
            share.entry.abandoned = true;
        }
        try {
            share.entry.stop();
        } finally {
            synchronized (this) {
                entries.remove(share.key);
                notifyAll();
            }
        }
    }
}
