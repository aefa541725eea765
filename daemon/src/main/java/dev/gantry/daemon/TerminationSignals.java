package dev.gantry.daemon;

import java.lang.reflect.Proxy;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/// SIGTERM, SIGINT and SIGHUP. The first two end the daemon once, in order: the JVM's own handling
/// would start to tear down the process while calls still run, and exit with 143.
final class TerminationSignals {

    private final BlockingQueue<String> terminations = new ArrayBlockingQueue<>(8);

    private TerminationSignals() {}

    /// @param reload run at each SIGHUP, on a thread of its own
    static TerminationSignals install(Runnable reload) {
        TerminationSignals signals = new TerminationSignals();
        handle("TERM", () -> signals.terminations.offer("SIGTERM"));
        handle("INT", () -> signals.terminations.offer("SIGINT"));
        handle("HUP", reload);
        return signals;
    }

    /// Waits for SIGTERM or SIGINT and gives its name.
    String await() {
        try {
            return terminations.take();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return "interrupt";
        }
    }

    /// `sun.misc.Signal` is the one supported way to a signal (JEP 260), but javac warns of every use in
    /// a way that nothing can suppress; hence by name.
    private static void handle(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object ours = Proxy.newProxyInstance(
                    TerminationSignals.class.getClassLoader(), new Class<?>[] {handler}, (_, _, _) -> {
                        action.run();
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance(name), ours);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot handle SIG" + name, e);
        }
    }
}
