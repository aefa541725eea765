package dev.gantry.runtime;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The receiving end of a stream, which takes as many messages as it is told to.
final class FakeClient<T> extends ServerCallStreamObserver<T> {

    final List<T> received = new ArrayList<>();
    boolean completed;

    @Nullable
    Throwable failure;

    private int room;
    private Runnable onReady = () -> {};
    private Runnable onCancel = () -> {};
    private boolean cancelled;

    /// Makes room for more messages.
    void take(int more) {
        room += more;
        onReady.run();
    }

    /// Goes away.
    void cancel() {
        cancelled = true;
        onCancel.run();
    }

    @Override
    public boolean isReady() {
        return room > 0;
    }

    @Override
    public void onNext(T message) {
        room--;
        received.add(message);
    }

    @Override
    public void onCompleted() {
        completed = true;
    }

    @Override
    public void onError(Throwable error) {
        failure = error;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {
        onReady = handler;
    }

    @Override
    public void setOnCancelHandler(Runnable handler) {
        onCancel = handler;
    }

    @Override
    public boolean isCancelled() {
        return cancelled;
    }

    @Override
    public void disableAutoInboundFlowControl() {}

    @Override
    public void request(int count) {}

    @Override
    public void setMessageCompression(boolean enable) {}

    @Override
    public void setCompression(String compression) {}
}
