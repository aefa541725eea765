package dev.gantry.runtime;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// How the streaming server is reached.
///
/// @param address     that it listens on; clients get no other protection than one-use addresses, so loopback
/// @param port        0 for one that the kernel chooses at each start
/// @param tls         empty for plain HTTP
/// @param idleTimeout after which a stream on which nothing moves is closed
/// @param maxStreams  connections at the same time
public record StreamingSettings(String address, int port, Optional<Tls> tls, Duration idleTimeout, int maxStreams) {

    /// @param certificate a chain in PEM form
    /// @param key         its private key in PEM form, PKCS#8, without a password
    public record Tls(Path certificate, Path key) {}
}
