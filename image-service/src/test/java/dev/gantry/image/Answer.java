package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// What a call answered: its last message, or how it failed.
final class Answer<T> extends ServerCallStreamObserver<T> {

    @Nullable
    T message;

    Status status = Status.UNKNOWN;

    static <Q, A> Answer<A> of(BiConsumer<Q, StreamObserver<A>> call, Q request) {
        Answer<A> answer = new Answer<>();
        call.accept(request, answer);
        return answer;
    }

    static <Q, A> A good(BiConsumer<Q, StreamObserver<A>> call, Q request) {
        Answer<A> answer = of(call, request);
        assertThat(answer.status).isEqualTo(Status.OK);
        A message = answer.message;
        assertThat(message).isNotNull();
        return Objects.requireNonNull(message);
    }

    @Override
    public void onNext(T value) {
        message = value;
    }

    @Override
    public void onError(Throwable failure) {
        status = Status.fromThrowable(failure);
    }

    @Override
    public void onCompleted() {
        status = Status.OK;
    }

    @Override
    public boolean isReady() {
        return true;
    }

    @Override
    public boolean isCancelled() {
        return false;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {}

    @Override
    public void setOnCancelHandler(Runnable handler) {}

    @Override
    public void disableAutoInboundFlowControl() {}

    @Override
    public void request(int count) {}

    @Override
    public void setMessageCompression(boolean enable) {}

    @Override
    public void setCompression(String compression) {}
}
