package dev.gantry.storage;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Brings views to the readers in the order of the log, none before it is durable, one fsync for as many as are
/// waiting.
///
/// The first committer that finds nobody syncing does it for all that have been enqueued; the others wait. Ends
/// with the first disk failure: every commit that was waiting fails with it, and the store begins a new
/// publication.
final class Publication {

    private final Database database;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition progress = lock.newCondition();

    /// Written under `lock`, read without.
    private volatile View visible;

    private final List<Consumer<Commit>> watchers;

    // Guarded by `lock`.
    private final Deque<Commit> unseen = new ArrayDeque<>();
    private View newest;
    private boolean syncing;
    private @Nullable StorageException failure;

    /// @param watchers are told of each commit when it becomes visible
    Publication(Database database, View first, List<Consumer<Commit>> watchers) {
        this.database = database;
        this.watchers = watchers;
        this.visible = first;
        this.newest = first;
    }

    View view() {
        return visible;
    }

    boolean hasFailed() {
        lock.lock();
        try {
            return failure != null;
        } finally {
            lock.unlock();
        }
    }

    /// Takes the view of a change that is in the log. Called under the writer's lock, so the order of calls is that
    /// of the log.
    Ticket enqueue(View view, Durability durability, Optional<Commit> commit) {
        lock.lock();
        try {
            boolean nothingPending = newest == visible;
            newest = view;
            commit.ifPresent(unseen::add);
            if (nothingPending && durability == Durability.BUFFERED) {
                show(view);
            }
            return new Ticket(view.revision());
        } finally {
            lock.unlock();
        }
    }

    /// Called with the lock held.
    private void show(View view) {
        visible = view;
        while (!unseen.isEmpty() && unseen.getFirst().view().revision() <= view.revision()) {
            Commit commit = unseen.removeFirst();
            watchers.forEach(it -> it.accept(commit));
        }
    }

    void fail(StorageException e) {
        lock.lock();
        try {
            if (failure == null) {
                failure = e;
            }
            progress.signalAll();
        } finally {
            lock.unlock();
        }
    }

    final class Ticket {

        private final long revision;

        private Ticket(long revision) {
            this.revision = revision;
        }

        /// Returns when the view is visible, and durable if that was asked.
        void await() {
            if (visible.revision() >= revision) {
                return;
            }
            lock.lock();
            try {
                while (visible.revision() < revision) {
                    if (failure != null) {
                        throw again(failure);
                    }
                    if (syncing) {
                        progress.awaitUninterruptibly();
                    } else {
                        sync();
                    }
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /// Called with the lock held; gives it up during the fsync.
    private void sync() {
        View target = newest;
        syncing = true;
        lock.unlock();
        @Nullable StorageException thrown = null;
        try {
            database.sync();
        } catch (StorageException e) {
            thrown = e;
        } finally {
            lock.lock();
            syncing = false;
            progress.signalAll();
        }
        if (thrown == null) {
            show(target);
        } else if (failure == null) {
            failure = thrown;
        }
    }

    /// A failure for one more waiter: each thread gets an exception with its own stack.
    private StorageException again(StorageException e) {
        return switch (e) {
            case StorageException.NoSpace _ -> new StorageException.NoSpace("commit", e);
            case StorageException.Closed _ -> new StorageException.Closed(database.directory());
            default -> new StorageException.Failed("commit", e);
        };
    }
}
