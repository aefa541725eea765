package dev.gantry.runtime;

import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Keeps what clients asked for over the CRI socket until they come to the streaming server for it: each token works
/// once, and not for long. Thread-safe.
final class StreamTokens {

    static final Duration LIFE = Duration.ofMinutes(1);
    static final int MOST = 1000;

    private static final int BYTES = 16;

    private record Waiting(StreamRequest request, Instant until) {}

    private final Clock clock;
    private final SecureRandom random = new SecureRandom();
    private final ReentrantLock lock = new ReentrantLock();
    /// In the order in which they expire.
    private final Map<String, Waiting> waiting = new LinkedHashMap<>();

    StreamTokens(Clock clock) {
        this.clock = clock;
    }

    /// @throws ContainerException.TooMany when [#MOST] of them wait to be used
    String issue(StreamRequest request) {
        byte[] bytes = new byte[BYTES];
        random.nextBytes(bytes);
        String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        lock.lock();
        try {
            Instant now = clock.instant();
            dropExpired(now);
            if (waiting.size() >= MOST) {
                throw new ContainerException.TooMany(
                        "cannot prepare a stream: %d others wait for their clients; try again in a minute"
                                .formatted(MOST));
            }
            waiting.put(token, new Waiting(request, now.plus(LIFE)));
            return token;
        } finally {
            lock.unlock();
        }
    }

    /// Empty if there is no such token, or its time or its use is over.
    Optional<StreamRequest> redeem(String token) {
        lock.lock();
        try {
            dropExpired(clock.instant());
            return Optional.ofNullable(waiting.remove(token)).map(Waiting::request);
        } finally {
            lock.unlock();
        }
    }

    private void dropExpired(Instant now) {
        Iterator<Waiting> oldest = waiting.values().iterator();
        while (oldest.hasNext() && !now.isBefore(oldest.next().until())) {
            oldest.remove();
        }
    }
}
