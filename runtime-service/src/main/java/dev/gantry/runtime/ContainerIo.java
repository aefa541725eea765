package dev.gantry.runtime;

import dev.gantry.shim.LogCounters;
import java.util.Optional;

/// The streams of a container's first process, and the log they end in.
///
/// For shims that know FIFOs alone the daemon reads, writes the log and serves the clients itself; a shim that does all
/// that lets the daemon be away. Thread-safe.
interface ContainerIo extends ProcessIo {

    /// Goes on in a new log file of the same name; it exists when the call returns.
    void reopenLog();

    /// How the writing of the log goes; empty when there is none, or nobody can tell any more. May block for a moment.
    Optional<LogCounters> logCounters();
}
