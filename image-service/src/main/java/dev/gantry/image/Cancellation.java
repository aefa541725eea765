package dev.gantry.image;

import io.grpc.Context;
import java.util.function.Supplier;

/// Lets the client of a gRPC call give up work that blocks. The kubelet gives a pull up by cancelling its call, for
/// instance when the pod is deleted.
public final class Cancellation {

    private Cancellation() {}

    /// Does the work on this thread, which is interrupted if the current call ends before it.
    public static <T> T interrupting(Supplier<T> work) {
        Thread worker = Thread.currentThread();
        boolean[] over = new boolean[1];
        Context.CancellationListener interrupt = _ -> {
            synchronized (over) {
                if (!over[0]) {
                    worker.interrupt();
                }
            }
        };
        Context context = Context.current();
        context.addListener(interrupt, Runnable::run);
        try {
            return work.get();
        } finally {
            context.removeListener(interrupt);
            synchronized (over) {
                over[0] = true;
                Thread.interrupted(); // the thread goes back to its pool
            }
        }
    }
}
