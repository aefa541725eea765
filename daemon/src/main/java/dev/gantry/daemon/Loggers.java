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

    /// Held, because java.util.logging forgets the level of a logger that nobody holds.
    private static final java.util.logging.Logger GRPC = java.util.logging.Logger.getLogger("io.grpc");

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
        // gRPC writes past SLF4J, and calls it a warning when a client goes away.
        GRPC.setLevel(java.util.logging.Level.SEVERE);
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
        return wanted.toInt() >= Math.max(level.toInt(), leastOf(logger).toInt());
    }

    private static Level leastOf(String logger) {
        if (logger.startsWith("dev.gantry.")) {
            return Level.TRACE;
        }
        // It warns at each connection that a Unix socket knows no SO_KEEPALIVE, which gRPC always sets.
        return logger.startsWith("io.netty.bootstrap.") ? Level.ERROR : Level.WARN;
    }

    void write(LogEvent event) {
        byte[] line = format.apply(event).getBytes(StandardCharsets.UTF_8);
        synchronized (out) {
            out.write(line, 0, line.length);
            out.flush();
        }
    }
}
