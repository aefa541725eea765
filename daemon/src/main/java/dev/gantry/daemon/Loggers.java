package dev.gantry.daemon;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// All loggers of the process: one level, one format, one stream. Libraries that log much at info are
/// held at warn. Safe for use by several threads; each line is written whole.
final class Loggers implements ILoggerFactory {

    private final PrintStream out;
    private final ConcurrentMap<String, Logger> loggers = new ConcurrentHashMap<>();
    private volatile Level level = Level.INFO;
    private volatile Function<LogEvent, String> format = LogFormats::text;

    Loggers(PrintStream out) {
        this.out = out;
    }

    /// Sets up the loggers of this process, anew if that was done before.
    static void configure(Configuration.Log options) {
        if (LoggerFactory.getILoggerFactory() instanceof Loggers loggers) {
            loggers.set(options);
        }
    }

    void set(Configuration.Log options) {
        level = Level.valueOf(options.level().toUpperCase(Locale.ROOT));
        format = options.format().equals("json") ? LogFormats::json : LogFormats::text;
    }

    @Override
    public Logger getLogger(String name) {
        return loggers.computeIfAbsent(name, wanted -> new LineLogger(wanted, this));
    }

    boolean isEnabled(String logger, Level wanted) {
        boolean ours = logger.startsWith("dev.gantry.");
        int least = ours ? level.toInt() : Math.max(level.toInt(), Level.WARN.toInt());
        return wanted.toInt() >= least;
    }

    void write(LogEvent event) {
        byte[] line = format.apply(event).getBytes(StandardCharsets.UTF_8);
        synchronized (out) {
            out.write(line, 0, line.length);
            out.flush();
        }
    }
}
