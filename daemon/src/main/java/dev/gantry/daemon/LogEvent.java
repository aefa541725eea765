package dev.gantry.daemon;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;
import org.slf4j.event.Level;

/// One line of the log before it is one.
///
/// @param time milliseconds since 1970
/// @param logger the last part of its name
record LogEvent(
        long time,
        Level level,
        String logger,
        String message,
        List<KeyValuePair> pairs,
        @Nullable Throwable cause) {}
