package dev.gantry.runtime;

/// The streams of a container's first process, and the log they end in.
///
/// For shims that know FIFOs alone the daemon reads, writes the log and serves the clients itself; a shim that does all
/// that lets the daemon be away. Thread-safe.
interface ContainerIo extends ProcessIo {

    /// Goes on in a new log file of the same name; it exists when the call returns.
    void reopenLog();
}
