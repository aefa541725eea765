package dev.gantry.runtime;

import io.grpc.Context;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Results whose callers had gone before they were there, for the callers' next try.
///
/// A kubelet whose deadline passes asks again for the same pod. The work goes on meanwhile, as half a pod is of use to
/// nobody; the retry waits for it and gets its result. When none comes within a time, what was made is taken down.
/// Until then nobody but the retry gets to see it: to all others it does not exist yet. A daemon that ends forgets
/// which results nobody has taken: the next one shows them as it shows all others. Thread-safe.
///
/// @param <T> what is made
final class LateResults<T> {

    private static final Logger log = LoggerFactory.getLogger(LateResults.class);

    /// What is done with results.
    interface Handling<T> {

        /// Keeps clients from seeing a result.
        void hide(T result);

        /// Lets clients see it again.
        void show(T result);

        /// Takes it down, hidden as it is.
        void discard(T result) throws InterruptedException;

        /// Ends the hiding of what is gone.
        void forget(T result);
    }

    /// The work for one name, from its begin until its result is with a caller or taken down.
    private static final class Entry<T> {
        final Object request;
        final CompletableFuture<T> result = new CompletableFuture<>();
        /// Done when the name is free for another try.
        final CompletableFuture<Void> over = new CompletableFuture<>();
        /// What was hidden before it was there. Only for the thread that makes it.
        private @Nullable T hidden;
        /// Whether somebody has the result, or takes it down. Guarded by the entry.
        private boolean taken;

        Entry(Object request) {
            this.request = request;
        }

        /// True for the first who asks.
        synchronized boolean take() {
            boolean first = !taken;
            taken = true;
            return first;
        }
    }

    private final ConcurrentHashMap<String, Entry<T>> entries = new ConcurrentHashMap<>();
    private final Handling<T> handling;
    private final Function<String, RuntimeException> refusal;
    private final Duration keep;
    private final Executor discards;

    /// @param refusal  the failure of a caller whose name is another's, from the reason
    /// @param keep     how long a result waits for a retry
    /// @param discards takes results down; bounded, platform threads
    LateResults(Handling<T> handling, Function<String, RuntimeException> refusal, Duration keep, Executor discards) {
        this.handling = handling;
        this.refusal = refusal;
        this.keep = keep;
        this.discards = discards;
    }

    /// Does the work, or yields the result of the same work for a caller that has gone.
    ///
    /// @param name    that at most one result may have
    /// @param request what is asked for: only an equal one gets another's result
    /// @param work    yields the result, and passes it on right before others could see it
    T get(String name, Object request, Function<Consumer<T>, T> work) throws InterruptedException {
        Entry<T> own = new Entry<>(request);
        while (true) {
            Entry<T> present = entries.putIfAbsent(name, own);
            if (present == null) {
                return make(name, own, work);
            }
            if (!present.request.equals(request)) {
                throw refuse(name, present);
            }
            Optional<T> other = await(name, present);
            if (other.isPresent()) {
                return other.get();
            }
            // Where another has it, the work will say so: the name is taken. Where that failed, it is tried anew.
        }
    }

    private T make(String name, Entry<T> entry, Function<Consumer<T>, T> work) {
        T result;
        try {
            result = work.apply(it -> hideIfLate(entry, it));
        } catch (RuntimeException e) {
            if (entry.hidden != null) {
                handling.forget(entry.hidden);
            }
            remove(name, entry);
            entry.result.completeExceptionally(e);
            throw e;
        }
        if (hideIfLate(entry, result)) {
            keep(name, entry, result);
        } else {
            entry.take();
            remove(name, entry);
        }
        entry.result.complete(result);
        return result;
    }

    private boolean hideIfLate(Entry<T> entry, T result) {
        boolean late = Context.current().isCancelled();
        if (late && entry.hidden == null) {
            handling.hide(result);
            entry.hidden = result;
        }
        return late;
    }

    private void remove(String name, Entry<T> entry) {
        entries.remove(name, entry);
        entry.over.complete(null);
    }

    private void keep(String name, Entry<T> entry, T result) {
        log.atWarn()
                .addKeyValue("name", name)
                .addKeyValue("seconds", keep.toSeconds())
                .log("made too late for its caller; kept for a retry");
        CompletableFuture.delayedExecutor(keep.toMillis(), TimeUnit.MILLISECONDS, discards)
                .execute(() -> discard(name, entry, result));
    }

    private void discard(String name, Entry<T> entry, T result) {
        if (!entry.take()) {
            return;
        }
        boolean gone = false;
        try {
            handling.discard(result);
            gone = true;
            log.atInfo().addKeyValue("name", name).log("nobody asked again for what was made too late; it is removed");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            log.atWarn().addKeyValue("name", name).setCause(e).log("cannot remove what nobody asked again for");
        } finally {
            if (gone) {
                handling.forget(result);
            } else {
                handling.show(result);
            }
            remove(name, entry);
        }
    }

    /// The result that nobody can ask for any more is in the way of this caller, so it is taken down now.
    private RuntimeException refuse(String name, Entry<T> present) {
        if (!present.result.isDone()) {
            return refusal.apply("%s is being made for a request that differs from this one".formatted(name));
        }
        var _ = present.result.thenAccept(result -> discards.execute(() -> discard(name, present, result)));
        return refusal.apply(
                "%s was made too late for a request that differs from this one, and is removed now: try again"
                        .formatted(name));
    }

    /// Waits as long as this caller does.
    ///
    /// @return empty when the result is with its caller, or there is none: the name is then free for another try
    private Optional<T> await(String name, Entry<T> entry) throws InterruptedException {
        try {
            T result = await(name, entry.result);
            if (entry.take()) {
                handling.show(result);
                remove(name, entry);
                log.atInfo().addKeyValue("name", name).log("made too late for its caller; given to the retry");
                return Optional.of(result);
            }
            await(name, entry.over);
            return Optional.empty();
        } catch (ExecutionException _) {
            return Optional.empty();
        }
    }

    private static <V> V await(String name, CompletableFuture<V> future)
            throws InterruptedException, ExecutionException {
        Context context = Context.current();
        CompletableFuture<V> waiting = future.copy();
        Context.CancellationListener gone = _ -> waiting.cancel(false);
        context.addListener(gone, Runnable::run);
        try {
            V value = waiting.get();
            if (!context.isCancelled()) {
                return value;
            }
        } catch (CancellationException _) {
            // the same
        } finally {
            context.removeListener(gone);
        }
        throw Status.CANCELLED
                .withDescription("the caller did not wait until %s was made".formatted(name))
                .asRuntimeException();
    }
}
