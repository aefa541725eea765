package dev.gantry.daemon;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What every call passes through: it is refused when too many wait, counted, logged with its
/// duration at debug, and an exception that leaves a service becomes a status.
final class CallInterceptor implements ServerInterceptor {

    private static final Logger log = LoggerFactory.getLogger(CallInterceptor.class);

    private final Function<Throwable, Status> statuses;
    private final Predicate<String> refused;
    private final AtomicInteger running = new AtomicInteger();
    private final LongAdder finished = new LongAdder();
    private final LongAdder failed = new LongAdder();

    /// @param refused whether a call of this method is one too many
    CallInterceptor(Function<Throwable, Status> statuses, Predicate<String> refused) {
        this.statuses = statuses;
        this.refused = refused;
    }

    /// Calls that have begun and not ended.
    int running() {
        return running.get();
    }

    long finished() {
        return finished.sum();
    }

    long failed() {
        return failed.sum();
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        String method = call.getMethodDescriptor().getFullMethodName();
        if (refused.test(method)) {
            call.close(Status.RESOURCE_EXHAUSTED.withDescription("too many calls are waiting"), new Metadata());
            return new ServerCall.Listener<>() {};
        }
        Counted<Q, A> counted = new Counted<>(call, method);
        try {
            return new Guarded<>(next.startCall(counted, headers), counted);
        } catch (RuntimeException e) {
            counted.fail(e);
            return new ServerCall.Listener<>() {};
        }
    }

    /// A call whose end is noted, whichever side ends it.
    private final class Counted<Q, A> extends SimpleForwardingServerCall<Q, A> {

        private final String method;
        private final long start = System.nanoTime();
        private boolean closed;

        Counted(ServerCall<Q, A> call, String method) {
            super(call);
            this.method = method;
            running.incrementAndGet();
        }

        @Override
        public void close(Status status, Metadata trailers) {
            if (end(status)) {
                super.close(status, trailers);
            }
        }

        void fail(RuntimeException failure) {
            close(statuses.apply(failure), new Metadata());
        }

        /// False if the call has ended before.
        synchronized boolean end(Status status) {
            if (closed) {
                return false;
            }
            closed = true;
            running.decrementAndGet();
            (status.isOk() ? finished : failed).increment();
            log.atDebug()
                    .addKeyValue("method", method)
                    .addKeyValue("status", status.getCode())
                    .addKeyValue(
                            "millis",
                            Duration.ofNanos(System.nanoTime() - start).toMillis())
                    .log(status.getDescription() == null ? "call" : status.getDescription());
            return true;
        }
    }

    private static final class Guarded<Q, A> extends SimpleForwardingServerCallListener<Q> {

        private final Counted<Q, A> call;

        Guarded(ServerCall.Listener<Q> listener, Counted<Q, A> call) {
            super(listener);
            this.call = call;
        }

        @Override
        public void onMessage(Q message) {
            guard(() -> super.onMessage(message));
        }

        @Override
        public void onHalfClose() {
            guard(super::onHalfClose);
        }

        @Override
        public void onReady() {
            guard(super::onReady);
        }

        @Override
        public void onCancel() {
            call.end(Status.CANCELLED);
            super.onCancel();
        }

        private void guard(Runnable step) {
            try {
                step.run();
            } catch (RuntimeException e) {
                call.fail(e);
            }
        }
    }
}
