package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import dev.gantry.cri.runtime.v1.ContainerEventType;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.sandbox.Sandboxes;
import dev.gantry.storage.Commit;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells clients what happens to containers and pods (CRI `GetContainerEvents`).
///
/// Events are made of what the store commits, so none is missed and each is on the disk before it is told; that holds
/// for exits too that are found when the daemon starts. One thread makes and hands them out. While nobody listens the
/// latest of the last five minutes are kept, and whoever comes first gets them: a kubelet that subscribes again after
/// either side was restarted misses nothing. Later ones get what happens from then on. Thread-safe.
final class ContainerEvents implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ContainerEvents.class);
    private static final int MOST_KEPT = 500;
    private static final Duration KEPT = Duration.ofMinutes(5);
    private static final int MOST_COMMITS = 10_000;

    private final Clock clock;
    private final LinkedBlockingQueue<Committed> commits = new LinkedBlockingQueue<>(MOST_COMMITS);
    private final AtomicLong lost = new AtomicLong();
    private final Thread thread =
            Thread.ofPlatform().name("events").daemon(true).unstarted(this::run);

    // Guarded by this object.
    private final List<EventSubscriber> subscribers = new ArrayList<>();
    private final Deque<ContainerEvent> kept = new ArrayDeque<>();
    private boolean closed;

    private record Committed(Commit commit, Instant at) {}

    ContainerEvents(Clock clock) {
        this.clock = clock;
        thread.start();
    }

    /// For [dev.gantry.storage.MetadataStore#watch].
    void committed(Commit commit) {
        if (!commit.changes(ContainerRows.KIND).isEmpty()
                || !Sandboxes.changes(commit).isEmpty()) {
            if (!commits.offer(new Committed(commit, clock.instant())) && lost.getAndIncrement() == 0) {
                log.error("container events come faster than they can be told, some are lost");
            }
        }
    }

    /// Adds a client, until it goes or the daemon ends.
    void subscribe(ServerCallStreamObserver<ContainerEventResponse> client) {
        EventSubscriber subscriber = new EventSubscriber(client);
        client.setOnReadyHandler(subscriber::send);
        client.setOnCancelHandler(() -> {
            subscriber.cancelled();
            remove(subscriber);
        });
        synchronized (this) {
            if (closed) {
                subscriber.end();
                return;
            }
            if (subscribers.isEmpty()) {
                forgetOld();
                kept.forEach(it -> subscriber.offer(it.message()));
                kept.clear();
            }
            subscribers.add(subscriber);
        }
        if (client.isCancelled()) {
            remove(subscriber);
        }
    }

    private synchronized void remove(EventSubscriber subscriber) {
        subscribers.remove(subscriber);
    }

    private void run() {
        try {
            while (true) {
                Committed next = commits.take();
                try {
                    events(next.commit(), next.at()).forEach(this::tell);
                } catch (RuntimeException e) {
                    log.atError().setCause(e).log("cannot tell of an event");
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    private synchronized void tell(ContainerEvent event) {
        if (subscribers.isEmpty()) {
            forgetOld();
            if (kept.size() == MOST_KEPT) {
                kept.removeFirst();
            }
            kept.addLast(event);
            return;
        }
        ContainerEventResponse message = event.message();
        subscribers.forEach(it -> it.offer(message));
    }

    /// Called with the lock held.
    private void forgetOld() {
        Instant oldest = clock.instant().minus(KEPT);
        while (!kept.isEmpty() && kept.getFirst().at().isBefore(oldest)) {
            kept.removeFirst();
        }
    }

    /// A container's events come before its sandbox's, which only matters for the deletion of both.
    private static List<ContainerEvent> events(Commit commit, Instant at) {
        List<ContainerEvent> events = new ArrayList<>();
        for (Commit.Changed<Container> changed : commit.changes(ContainerRows.KIND)) {
            Container container = changed.after().or(changed::before).orElseThrow();
            for (ContainerEventType type : ContainerEvent.ofContainer(changed)) {
                events.add(new ContainerEvent(
                        at,
                        container.id(),
                        type,
                        Sandboxes.in(commit.view(), container.sandbox()),
                        containers(commit, container.sandbox())));
            }
        }
        for (Commit.Changed<Sandbox> changed : Sandboxes.changes(commit)) {
            Sandbox sandbox = changed.after()
                    .or(() -> changed.before().map(it -> it.in(SandboxState.REMOVING)))
                    .orElseThrow();
            for (ContainerEventType type : ContainerEvent.ofSandbox(changed)) {
                events.add(new ContainerEvent(
                        at, sandbox.id().value(), type, Optional.of(sandbox), containers(commit, sandbox.id())));
            }
        }
        return events;
    }

    private static List<Container> containers(Commit commit, SandboxId sandbox) {
        return commit.view().all(ContainerRows.KIND).stream()
                .filter(it -> it.sandbox().equals(sandbox) && it.state().isVisible())
                .toList();
    }

    /// Ends all streams; whoever comes later is sent away.
    @Override
    public void close() {
        List<EventSubscriber> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(subscribers);
            subscribers.clear();
        }
        all.forEach(EventSubscriber::end);
        thread.interrupt();
    }
}
