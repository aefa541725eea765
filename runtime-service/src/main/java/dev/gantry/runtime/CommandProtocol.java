package dev.gantry.runtime;

import java.util.List;
import java.util.Optional;

/// A version of the protocol for exec and attach, `v4.channel.k8s.io` and its kin. `channel.k8s.io` is version 1, and
/// so is a client that names none.
///
/// @param name   as it was negotiated, empty if nothing was
/// @param base64 whether WebSocket messages are text
record CommandProtocol(String name, int version, boolean base64) {

    static final CommandProtocol NONE = new CommandProtocol("", 1, false);

    private static final int FIRST_WITH_STATUS = 4;

    static final List<CommandProtocol> SPDY = List.of(
            new CommandProtocol("v4.channel.k8s.io", 4, false),
            new CommandProtocol("v3.channel.k8s.io", 3, false),
            new CommandProtocol("v2.channel.k8s.io", 2, false),
            new CommandProtocol("channel.k8s.io", 1, false));

    static final List<CommandProtocol> WEB_SOCKET = List.of(
            new CommandProtocol("v5.channel.k8s.io", 5, false),
            new CommandProtocol("v5.base64.channel.k8s.io", 5, true),
            new CommandProtocol("v4.channel.k8s.io", 4, false),
            new CommandProtocol("v4.base64.channel.k8s.io", 4, true),
            new CommandProtocol("v3.channel.k8s.io", 3, false),
            new CommandProtocol("v3.base64.channel.k8s.io", 3, true),
            new CommandProtocol("v2.channel.k8s.io", 2, false),
            new CommandProtocol("v2.base64.channel.k8s.io", 2, true),
            new CommandProtocol("channel.k8s.io", 1, false),
            new CommandProtocol("base64.channel.k8s.io", 1, true));

    /// The first that the client names and the server knows.
    ///
    /// @param wanted in the client's order
    /// @return [#NONE] if it names none, empty if none fits
    static Optional<CommandProtocol> choose(List<String> wanted, List<CommandProtocol> known) {
        if (wanted.isEmpty()) {
            return Optional.of(NONE);
        }
        return wanted.stream()
                .flatMap(name -> known.stream().filter(it -> it.name().equals(name)))
                .findFirst();
    }

    /// What the error channel carries.
    byte[] encode(CommandOutcome outcome) {
        return version >= FIRST_WITH_STATUS ? outcome.json() : outcome.text();
    }
}
