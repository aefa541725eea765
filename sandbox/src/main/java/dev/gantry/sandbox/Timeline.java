package dev.gantry.sandbox;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/// How long each step of one call took; written to the log at debug level, where the benchmark reads it.
///
/// Steps that run side by side are measured each from their own start, so their sum may exceed the whole. Thread-safe.
public final class Timeline {

    private final long begin = System.nanoTime();
    private final Map<String, Long> steps = new LinkedHashMap<>();

    /// Measures `step` under `name`.
    public <T, E extends Exception> T measure(String name, Step<T, E> step) throws E {
        long start = System.nanoTime();
        try {
            return step.run();
        } finally {
            add(name, System.nanoTime() - start);
        }
    }

    /// Measures a step that yields nothing.
    public void run(String name, Runnable step) {
        measure(name, () -> {
            step.run();
            return true;
        });
    }

    private synchronized void add(String name, long nanos) {
        steps.merge(name, nanos, Long::sum);
    }

    /// Logs `call total=… step=…`, in microseconds.
    public synchronized void log(Logger log, String call, Object id) {
        if (!log.isDebugEnabled()) {
            return;
        }
        StringJoiner text = new StringJoiner(" ");
        text.add("total=" + TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begin));
        steps.forEach((name, nanos) -> text.add(name + "=" + TimeUnit.NANOSECONDS.toMicros(nanos)));
        log.atDebug().addKeyValue("id", id).log("steps of {}: {}", call, text);
    }

    /// A step with a result.
    @FunctionalInterface
    public interface Step<T, E extends Exception> {
        T run() throws E;
    }
}
