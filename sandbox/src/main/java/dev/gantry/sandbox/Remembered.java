package dev.gantry.sandbox;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// Answers that cost time to get: one that was got is kept, a failure for a while only. Thread-safe; two who ask for
/// the same at the same time cause one asking.
final class Remembered<K, V> {

    /// @param at when it was asked, by the clock that only goes forward
    private record Asked<V>(Optional<V> answer, long at) {}

    private final ConcurrentHashMap<K, Asked<V>> asked = new ConcurrentHashMap<>();
    private final long patience;

    /// @param patience for how long a failure is taken for an answer
    Remembered(Duration patience) {
        this.patience = patience.toNanos();
    }

    /// @param ask is empty if there is no answer now
    Optional<V> get(K key, Function<K, Optional<V>> ask) {
        return asked.compute(
                        key,
                        (_, known) -> known != null
                                        && (known.answer().isPresent() || System.nanoTime() - known.at() < patience)
                                ? known
                                : new Asked<>(ask.apply(key), System.nanoTime()))
                .answer();
    }
}
