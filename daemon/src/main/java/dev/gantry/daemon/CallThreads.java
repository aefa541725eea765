package dev.gantry.daemon;

import java.time.Duration;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// A pool of platform threads on which calls run. An idle thread is used before a new one is made,
/// and ends after a while; when all are busy, calls wait in their order.
///
/// The queue has no bound of its own, because gRPC does not take no for an answer from an executor:
/// [CallServer] bounds the calls.
final class CallThreads extends ThreadPoolExecutor {

    /// Deep enough for RocksDB, JSON and process spawning; only what is touched costs memory.
    private static final long STACK = 512 << 10;

    private static final Duration IDLE = Duration.ofSeconds(10);

    /// @param size most threads
    CallThreads(String name, int size) {
        super(0, size, IDLE.toMillis(), TimeUnit.MILLISECONDS, new HandOver(), threads(name), CallThreads::enqueue);
    }

    private static ThreadFactory threads(String name) {
        return Thread.ofPlatform()
                .name(name + "-", 1)
                .stackSize(STACK)
                .daemon(true)
                .factory();
    }

    /// All threads are busy: the pool has refused to add one more, so the task waits.
    private static void enqueue(Runnable task, ThreadPoolExecutor pool) {
        if (pool.isShutdown()) {
            throw new RejectedExecutionException("the daemon is shutting down");
        }
        pool.getQueue().add(task);
    }

    /// Says no to a task that no idle thread waits for, which makes the pool add a thread; the
    /// handler of refusals then uses [#add], which always says yes.
    private static final class HandOver extends LinkedTransferQueue<Runnable> {

        @Override
        public boolean offer(Runnable task) {
            return tryTransfer(task);
        }

        @Override
        public boolean add(Runnable task) {
            return super.offer(task);
        }
    }
}
