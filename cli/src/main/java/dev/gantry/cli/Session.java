package dev.gantry.cli;

/// What a command is run with: where it writes, and which daemon it talks to.
record Session(Terminal terminal, String address) {

    /// A connection that the caller closes.
    Connection connect() {
        return Connection.to(address);
    }
}
