package dev.gantry.shim;

import java.time.Duration;

/// How the writing of a container's log went so far.
///
/// @param bytes what is in the log files, time stamps included
/// @param lostBytes what a full or broken disk did not take
/// @param longestStall the longest that a single write took
public record LogCounters(long bytes, long lines, long lostBytes, Duration longestStall) {}
