package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A client that listens to events. One that does not keep up loses the oldest of those that wait for it, as every
/// event tells the pod's state anew. Thread-safe; nobody ever waits for the client.
final class EventSubscriber {

    private static final Logger log = LoggerFactory.getLogger(EventSubscriber.class);
    static final int MOST_WAITING = 1000;

    private final ServerCallStreamObserver<ContainerEventResponse> client;

    // Guarded by this object.
    private final Deque<ContainerEventResponse> waiting = new ArrayDeque<>();
    private boolean ended;
    private long lost;

    EventSubscriber(ServerCallStreamObserver<ContainerEventResponse> client) {
        this.client = client;
    }

    /// How many events it has not been sent because it was too slow.
    synchronized long lost() {
        return lost;
    }

    synchronized void offer(ContainerEventResponse event) {
        if (ended) {
            return;
        }
        if (waiting.size() == MOST_WAITING) {
            waiting.removeFirst();
            if (lost++ == 0) {
                log.warn("a client that listens to container events is too slow and loses some");
            }
        }
        waiting.addLast(event);
        send();
    }

    /// Sends what the client can take now.
    synchronized void send() {
        while (!ended && client.isReady() && !waiting.isEmpty()) {
            client.onNext(waiting.removeFirst());
        }
    }

    /// The client has gone.
    synchronized void cancelled() {
        ended = true;
        waiting.clear();
        if (lost > 0) {
            log.atWarn().addKeyValue("lost", lost).log("a client that listened to container events lost some");
        }
    }

    /// Ends the stream; the client is to come back.
    synchronized void end() {
        if (!ended) {
            ended = true;
            waiting.clear();
            client.onError(Status.UNAVAILABLE
                    .withDescription("the daemon is shutting down; subscribe again")
                    .asRuntimeException());
        }
    }
}
