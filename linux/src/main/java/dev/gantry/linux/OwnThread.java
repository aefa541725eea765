package dev.gantry.linux;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/// Runs work on a kernel thread that belongs to it alone and ends with it.
///
/// For what changes one thread, which must never come back to a pool (unshare(2), setns(2)), and for
/// undoing, which an interrupt of the caller must not cut short.
public final class OwnThread {

    private OwnThread() {}

    /// Calls and waits, however long it takes, also when the caller is interrupted: the work may hold
    /// what the caller has to undo. The interrupt is kept for later.
    public static <T> T call(String name, Callable<T> work) {
        CompletableFuture<T> done = new CompletableFuture<>();
        Thread thread = Thread.ofPlatform().name(name).daemon().start(() -> {
            try {
                done.complete(work.call());
            } catch (Throwable failure) {
                done.completeExceptionally(failure);
            }
        });
        boolean interrupted = false;
        while (true) {
            try {
                // The thread itself has to be gone: while it lives it holds its namespace.
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        try {
            return done.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error failure) {
                throw failure;
            }
            throw e;
        }
    }
}
