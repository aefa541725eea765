package dev.gantry.runtime;

import io.grpc.stub.StreamObserver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers a unary call with what its work yields, or with the status of its failure.
final class CallWorker {

    private static final Logger log = LoggerFactory.getLogger(CallWorker.class);

    private CallWorker() {}

    /// The work of a call; interrupts mean that the daemon ends.
    @FunctionalInterface
    interface Work<T> {
        T run() throws InterruptedException;
    }

    /// Answers a call of the contract that this version does not have, so that a client goes on without it.
    static void refuse(StreamObserver<?> client, String reason) {
        client.onError(io.grpc.Status.UNIMPLEMENTED.withDescription(reason).asRuntimeException());
    }

    static <T> void answer(StreamObserver<T> client, String call, Work<T> work) {
        T answer;
        try {
            answer = work.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            client.onError(io.grpc.Status.UNAVAILABLE
                    .withDescription("the daemon is shutting down; try again")
                    .withCause(e)
                    .asRuntimeException());
            return;
        } catch (RuntimeException e) {
            var status = RuntimeErrors.of(e);
            if (status.getStatus().getCode() == io.grpc.Status.Code.INTERNAL) {
                log.atError().addKeyValue("call", call).setCause(e).log("call failed");
            } else {
                log.atDebug().addKeyValue("call", call).setCause(e).log("call refused");
            }
            client.onError(status);
            return;
        }
        client.onNext(answer);
        client.onCompleted();
    }
}
