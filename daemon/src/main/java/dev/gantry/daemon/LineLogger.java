package dev.gantry.daemon;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;
import org.slf4j.event.LoggingEvent;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.spi.LoggingEventAware;

/// A logger of [Loggers].
final class LineLogger extends LegacyAbstractLogger implements LoggingEventAware {

    private final transient Loggers loggers;

    LineLogger(String name, Loggers loggers) {
        this.name = name;
        this.loggers = loggers;
    }

    @Override
    public void log(LoggingEvent event) {
        List<KeyValuePair> pairs = event.getKeyValuePairs();
        write(
                event.getLevel(),
                event.getMessage(),
                event.getArgumentArray(),
                pairs == null ? List.of() : pairs,
                event.getThrowable());
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level,
            @Nullable Marker marker,
            String pattern,
            @Nullable Object @Nullable [] arguments,
            @Nullable Throwable cause) {
        write(level, pattern, arguments, List.of(), cause);
    }

    private void write(
            Level level,
            String pattern,
            @Nullable Object @Nullable [] arguments,
            List<KeyValuePair> pairs,
            @Nullable Throwable cause) {
        String message = arguments == null ? pattern : MessageFormatter.basicArrayFormat(pattern, arguments);
        String shortName = name.substring(name.lastIndexOf('.') + 1);
        loggers.write(new LogEvent(System.currentTimeMillis(), level, shortName, message, pairs, cause));
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    public boolean isTraceEnabled() {
        return loggers.isEnabled(name, Level.TRACE);
    }

    @Override
    public boolean isDebugEnabled() {
        return loggers.isEnabled(name, Level.DEBUG);
    }

    @Override
    public boolean isInfoEnabled() {
        return loggers.isEnabled(name, Level.INFO);
    }

    @Override
    public boolean isWarnEnabled() {
        return loggers.isEnabled(name, Level.WARN);
    }

    @Override
    public boolean isErrorEnabled() {
        return loggers.isEnabled(name, Level.ERROR);
    }
}
