package dev.gantry.cli;

import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/// The wish to end what runs in the foreground: Ctrl-C or SIGTERM. It interrupts the thread that
/// listens, once, so that a long call ends at once; that thread then [#acknowledge]s it and tidies up
/// without being disturbed again. The process ends with the code given to [#finished] rather than
/// with that of the signal.
final class StopSignal {

    private final CountDownLatch finished = new CountDownLatch(1);
    // guarded by this:
    private @Nullable Thread listener;
    private boolean listened;
    private boolean requested;
    private volatile int exitCode;

    /// From now on the calling thread's work is stopped instead of the process.
    synchronized void listen() {
        listener = Thread.currentThread();
        listened = true;
    }

    /// Takes the signals that would end this process.
    void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::onShutdown, "stop-signal"));
    }

    private void onShutdown() {
        if (finished.getCount() == 0 || !request()) {
            return; // the process ends by itself, or nobody minds that it ends at once
        }
        try {
            finished.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(exitCode);
    }

    /// Tells whether there was anybody to be told.
    synchronized boolean request() {
        requested = true;
        if (listener != null) {
            listener.interrupt();
        }
        return listened;
    }

    synchronized boolean requested() {
        return requested;
    }

    /// Takes note: the interrupt, which has come by now if it comes at all, is cleared, and there will
    /// be no other.
    synchronized void acknowledge() {
        listener = null;
        boolean _ = Thread.interrupted();
    }

    void finished(int code) {
        exitCode = code;
        finished.countDown();
    }
}
