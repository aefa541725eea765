package dev.gantry.shim;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import dev.gantry.cri.google.rpc.Status;
import dev.gantry.cri.ttrpc.Response;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/// Calls of one service over a connection, whose failures become [ShimException]s that say what was attempted.
/// Thread-safe.
///
/// @param service full name of the ttrpc service
record ShimCalls(TtrpcClient client, String service) {

    /// Blocks until the answer is there.
    ///
    /// @param what completes the sentence "cannot …"
    <T> T call(String what, String method, MessageLite request, Parser<T> parser, Duration within) {
        String attempt = "cannot " + what;
        CompletableFuture<Response> call = client.call(service, method, request.toByteString(), within);
        return read(attempt, await(attempt, call, within), parser);
    }

    /// A call without a limit and without a thread that waits; completed on the thread that serves all shims. Fails
    /// with a [ShimException]; cancelling it makes the answer go nowhere.
    <T, R> CompletableFuture<R> begin(
            String what, String method, MessageLite request, Parser<T> parser, Function<T, R> result) {
        String attempt = "cannot " + what;
        CompletableFuture<Response> call = client.call(service, method, request.toByteString(), Duration.ZERO);
        CompletableFuture<R> outcome = new CompletableFuture<>();
        var _ = call.whenComplete((response, failure) -> {
            try {
                if (failure != null) {
                    throw unavailable(attempt, failure);
                }
                outcome.complete(result.apply(read(attempt, response, parser)));
            } catch (ShimException e) {
                outcome.completeExceptionally(e);
            }
        });
        var _ = outcome.whenComplete((_, _) -> call.cancel(false));
        return outcome;
    }

    /// Whether the other side has the service at all; asks by a call that changes nothing.
    CompletableFuture<Boolean> isServed(String method, Duration within) {
        return client.call(service, method, ByteString.EMPTY, within)
                .thenApply(it -> StatusCode.of(it.getStatus().getCode()) != StatusCode.UNIMPLEMENTED);
    }

    static <T> T await(String attempt, CompletableFuture<T> call, Duration within) {
        try {
            return call.get(within.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            call.cancel(false);
            throw new ShimException.TimedOut(attempt, "no answer within " + within);
        } catch (ExecutionException e) {
            throw unavailable(attempt, e.getCause() == null ? e : e.getCause());
        } catch (InterruptedException e) {
            call.cancel(false);
            Thread.currentThread().interrupt();
            throw new ShimException.Unavailable(attempt, "interrupted", e);
        }
    }

    static ShimException unavailable(String attempt, Throwable cause) {
        String reason = cause.getMessage();
        return new ShimException.Unavailable(attempt, reason == null ? "the connection is closed" : reason, cause);
    }

    static <T> T read(String attempt, Response response, Parser<T> parser) {
        Status status = response.getStatus();
        if (status.getCode() != 0) {
            throw ShimException.of(attempt, StatusCode.of(status.getCode()), status.getMessage());
        }
        try {
            return parser.parseFrom(response.getPayload());
        } catch (InvalidProtocolBufferException e) {
            throw new ShimException.Rejected(attempt, StatusCode.DATA_LOSS, "the answer is malformed");
        }
    }
}
