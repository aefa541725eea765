package dev.gantry.shim;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import dev.gantry.cri.containerd.events.TaskExit;
import dev.gantry.cri.containerd.events.TaskOOM;
import dev.gantry.cri.containerd.services.events.ttrpc.v1.ForwardRequest;
import dev.gantry.cri.containerd.types.Envelope;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The events service that shims call: it answers at once and hands events on in order, on a thread of its own.
///
/// When the listener lags so far behind that the queue is full, shims are told so; they come back later.
final class ShimEvents implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ShimEvents.class);

    static final String METHOD = "containerd.services.events.ttrpc.v1.Events/Forward";

    private static final int MAX_QUEUED = 4096;

    private final TaskEvents listener;
    private final ThreadPoolExecutor thread;

    ShimEvents(TaskEvents listener) {
        this.listener = listener;
        thread = new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MAX_QUEUED),
                Thread.ofPlatform().daemon().name("shim-events").factory());
    }

    Map<String, TtrpcServer.Method> methods() {
        return Map.of(METHOD, this::forward);
    }

    private MessageLite forward(ByteString request) throws InvalidProtocolBufferException {
        Envelope envelope = ForwardRequest.parseFrom(request).getEnvelope();
        if (envelope.getNamespace().equals(Shims.NAMESPACE)) {
            take(envelope.getEvent());
        }
        return Empty.getDefaultInstance();
    }

    private void take(Any event) throws InvalidProtocolBufferException {
        switch (event.getTypeUrl()) {
            case "containerd.events.TaskExit" -> {
                TaskExit exit = TaskExit.parseFrom(event.getValue());
                Optional<String> exec =
                        exit.getId().equals(exit.getContainerId()) ? Optional.empty() : Optional.of(exit.getId());
                queue(() -> listener.exited(
                        exit.getContainerId(), exec, exit.getPid(), Exit.of(exit.getExitStatus(), exit.getExitedAt())));
            }
            case "containerd.events.TaskOOM" -> {
                TaskOOM oom = TaskOOM.parseFrom(event.getValue());
                queue(() -> listener.oom(oom.getContainerId()));
            }
            default -> {} // what our own calls brought about
        }
    }

    private void queue(Runnable call) {
        try {
            thread.execute(() -> {
                try {
                    call.run();
                } catch (RuntimeException e) {
                    log.error("a listener to the events of shims failed", e);
                }
            });
        } catch (RejectedExecutionException e) {
            throw new ShimException.Unavailable("cannot take an event", "too many are waiting", e);
        }
    }

    /// Drops what is queued: events are hints.
    @Override
    public void close() {
        thread.shutdownNow();
    }
}
