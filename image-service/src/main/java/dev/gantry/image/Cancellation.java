package dev.gantry.image;

import io.grpc.Context;

/// Lets the client of a gRPC call give up work that blocks. The kubelet gives a pull up by cancelling its call, for
/// instance when the pod is deleted; whoever has a command run does so by going away.
public final class Cancellation {

    private Cancellation() {}

    /// What blocks until it is done or interrupted.
    @FunctionalInterface
    public interface Work<T, E extends Exception> {
        T run() throws E;
    }

    /// Does the work on this thread, which is interrupted if the current call ends before it.
    public static <T, E extends Exception> T interrupting(Work<T, E> work) throws E {
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
            return work.run();
        } finally {
            context.removeListener(interrupt);
            synchronized (over) {
                over[0] = true;
                Thread.interrupted(); // the thread goes back to its pool
            }
        }
    }
}
