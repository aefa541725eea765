package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.gantry.cri.runtime.v1.ContainerEventResponse;
import dev.gantry.cri.runtime.v1.ContainerEventType;
import dev.gantry.cri.runtime.v1.GetEventsRequest;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;

/// A client of a node that goes before its calls are done, and what the node tells of them to others and in its log.
record ImpatientClient(ChildNode node) {

    /// Ends a call that makes something once the work has begun.
    void giveUpOn(Callable<String> call, BooleanSupplier begun) {
        Context.CancellableContext patience = Context.current().withCancellation();
        CompletableFuture<String> first = CompletableFuture.supplyAsync(() -> uncheckedCall(patience, call));
        await("the work begins").atMost(ChildNode.PATIENCE).until(begun::getAsBoolean);
        patience.cancel(null);
        assertThat(first)
                .failsWithin(ChildNode.PATIENCE)
                .withThrowableThat()
                .withMessageContaining(Status.Code.CANCELLED.name());
    }

    private static <T> T uncheckedCall(Context context, Callable<T> call) {
        try {
            return context.call(call);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /// What clients are told of from now on.
    Heard listen() {
        List<ContainerEventResponse> heard = new CopyOnWriteArrayList<>();
        Iterator<ContainerEventResponse> events =
                node.client().runtime().getContainerEvents(GetEventsRequest.getDefaultInstance());
        var _ = Thread.ofPlatform().daemon(true).start(() -> {
            try {
                events.forEachRemaining(heard::add);
            } catch (StatusRuntimeException _) {
                // the node is stopped
            }
        });
        return new Heard(heard);
    }

    /// Events as they come.
    record Heard(List<ContainerEventResponse> all) {

        /// Of one container or pod.
        List<ContainerEventType> of(String id) {
            return all.stream()
                    .filter(it -> it.getContainerId().equals(id))
                    .map(ContainerEventResponse::getContainerEventType)
                    .toList();
        }

        void await(String id, ContainerEventType... wanted) {
            org.awaitility.Awaitility.await("events of " + id)
                    .atMost(ChildNode.PATIENCE)
                    .until(() -> of(id).equals(List.of(wanted)));
        }
    }

    void awaitLog(String text) {
        await(text).atMost(ChildNode.PATIENCE).until(() -> node.log().contains(text));
    }
}
