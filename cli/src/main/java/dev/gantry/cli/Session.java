package dev.gantry.cli;

/// What a command is run with: where it writes, which daemon it talks to, and who tells it to stop.
record Session(Terminal terminal, String address, StopSignal stop) {

    /// A connection that the caller closes.
    Connection connect() {
        return Connection.to(address);
    }
}
