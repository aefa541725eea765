package dev.gantry.image;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.Iterator;
import java.util.function.Function;

/// Answers a call with a stream of messages, each made and sent when the client has taken the one before: a slow client
/// holds no thread and no more than a message, and one that has gone ends it.
public final class StreamedAnswer<T> {

    private final ServerCallStreamObserver<T> client;
    private final Iterator<T> messages;
    private final Function<RuntimeException, StatusRuntimeException> statuses;
    private boolean ended;

    private StreamedAnswer(
            ServerCallStreamObserver<T> client,
            Iterator<T> messages,
            Function<RuntimeException, StatusRuntimeException> statuses) {
        this.client = client;
        this.messages = messages;
        this.statuses = statuses;
    }

    /// Begins to send, from within the call; gRPC goes on with it on the call's threads, one call back at a time.
    ///
    /// @param statuses what the client is told when a message cannot be made
    public static <T> void send(
            ServerCallStreamObserver<T> client,
            Iterator<T> messages,
            Function<RuntimeException, StatusRuntimeException> statuses) {
        StreamedAnswer<T> answer = new StreamedAnswer<>(client, messages, statuses);
        client.setOnReadyHandler(answer::sendMore);
        client.setOnCancelHandler(() -> answer.ended = true);
        answer.sendMore();
    }

    private void sendMore() {
        try {
            while (!ended && client.isReady()) {
                if (messages.hasNext()) {
                    client.onNext(messages.next());
                } else {
                    ended = true;
                    client.onCompleted();
                }
            }
        } catch (RuntimeException e) {
            ended = true;
            client.onError(statuses.apply(e));
        }
    }
}
