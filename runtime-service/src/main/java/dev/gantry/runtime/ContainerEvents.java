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
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells clients what happens to containers and pods (CRI `GetContainerEvents`).
///
/// Events are made of what the store commits, so none is missed and each is on the disk before it is told; that holds
/// for exits too that are found when the daemon starts. One thread makes and hands them out. While nobody listens the
/// latest of the last five minutes are kept, and whoever comes first gets them: a kubelet that subscribes again after
/// either side was restarted misses nothing. Later ones get what happens from then on. What happens to things that are
/// hidden is told when they are shown. Thread-safe.
final class ContainerEvents implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ContainerEvents.class);
    private static final int MOST_KEPT = 500;
    private static final Duration KEPT = Duration.ofMinutes(5);
    private static final int MOST_COMMITS = 10_000;

    private final Clock clock;
    private final LinkedBlockingQueue<Happening> happenings = new LinkedBlockingQueue<>(MOST_COMMITS);
    /// Guarded by itself, so that what comes after the end of a hiding is told after what came before.
    private final Set<String> hidden = new HashSet<>();
    /// Events of what is hidden, by its id. For the thread alone.
    private final Map<String, List<ContainerEvent>> untold = new HashMap<>();

    private final AtomicLong lost = new AtomicLong();
    private final Thread thread =
            Thread.ofPlatform().name("events").daemon(true).unstarted(this::run);

    // Guarded by this object.
    private final List<EventSubscriber> subscribers = new ArrayList<>();
    private final Deque<ContainerEvent> kept = new ArrayDeque<>();
    private boolean closed;

    private sealed interface Happening {}

    /// @param hidden from clients at that time
    private record Committed(Commit commit, Instant at, Set<String> hidden) implements Happening {}

    /// @param gone whether that is because nothing is left of it
    private record Unhidden(String id, boolean gone) implements Happening {}

    ContainerEvents(Clock clock) {
        this.clock = clock;
        thread.start();
    }

    /// For [dev.gantry.storage.MetadataStore#watch].
    void committed(Commit commit) {
        if (!commit.changes(ContainerRows.KIND).isEmpty()
                || !Sandboxes.changes(commit).isEmpty()) {
            synchronized (hidden) {
                add(new Committed(commit, clock.instant(), Set.copyOf(hidden)));
            }
        }
    }

    private void add(Happening happening) {
        if (!happenings.offer(happening) && lost.getAndIncrement() == 0) {
            log.error("container events come faster than they can be told, some are lost");
        }
    }

    /// Keeps what happens to a container or pod from clients, who do not know of it yet.
    void hide(String id) {
        synchronized (hidden) {
            hidden.add(id);
        }
    }

    /// Ends [#hide], and tells what has happened meanwhile.
    void show(String id) {
        unhide(new Unhidden(id, false));
    }

    /// Ends [#hide] for what is gone: as if it had never been there.
    void forget(String id) {
        unhide(new Unhidden(id, true));
    }

    private void unhide(Unhidden happening) {
        synchronized (hidden) {
            if (hidden.remove(happening.id())) {
                add(happening);
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
                Happening next = happenings.take();
                try {
                    switch (next) {
                        case Committed it -> events(it).forEach(event -> tellUnlessHidden(event, it.hidden()));
                        case Unhidden(String id, boolean gone) -> tellUntold(id, gone);
                    }
                } catch (RuntimeException e) {
                    log.atError().setCause(e).log("cannot tell of an event");
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    private void tellUnlessHidden(ContainerEvent event, Set<String> hiddenThen) {
        if (hiddenThen.contains(event.id())) {
            untold.computeIfAbsent(event.id(), _ -> new ArrayList<>()).add(event);
        } else {
            tell(event);
        }
    }

    /// Clients that were told of its begin, as it was not hidden yet, are told of its end too.
    private void tellUntold(String id, boolean gone) {
        List<ContainerEvent> events = untold.remove(id);
        if (events != null && !(gone && events.getFirst().type() == ContainerEventType.CONTAINER_CREATED_EVENT)) {
            events.forEach(this::tell);
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
    private static List<ContainerEvent> events(Committed committed) {
        Commit commit = committed.commit();
        Instant at = committed.at();
        List<ContainerEvent> events = new ArrayList<>();
        for (Commit.Changed<Container> changed : commit.changes(ContainerRows.KIND)) {
            Container container = changed.after().or(changed::before).orElseThrow();
            for (ContainerEventType type : ContainerEvent.ofContainer(changed)) {
                events.add(new ContainerEvent(
                        at,
                        container.id(),
                        type,
                        Sandboxes.in(commit.view(), container.sandbox()),
                        containers(committed, container.sandbox(), container.id())));
            }
        }
        for (Commit.Changed<Sandbox> changed : Sandboxes.changes(commit)) {
            Sandbox sandbox = changed.after()
                    .or(() -> changed.before().map(it -> it.in(SandboxState.REMOVING)))
                    .orElseThrow();
            for (ContainerEventType type : ContainerEvent.ofSandbox(changed)) {
                events.add(new ContainerEvent(
                        at, sandbox.id().value(), type, Optional.of(sandbox), containers(committed, sandbox.id(), "")));
            }
        }
        return events;
    }

    /// @param own the container that the event is of, hidden or not
    private static List<Container> containers(Committed committed, SandboxId sandbox, String own) {
        return committed.commit().view().all(ContainerRows.KIND).stream()
                .filter(it -> it.sandbox().equals(sandbox) && it.state().isVisible())
                .filter(it -> !committed.hidden().contains(it.id()) || it.id().equals(own))
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
