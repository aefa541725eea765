package dev.gantry.cni;

/// Whether pods can be attached to the network now.
///
/// @param reason one word for machines, empty when ready
/// @param message for people, empty when ready
public record NetworkReadiness(boolean ready, String reason, String message) {

    static final String NOT_READY = "NetworkPluginNotReady";

    static NetworkReadiness yes() {
        return new NetworkReadiness(true, "", "");
    }

    static NetworkReadiness no(String message) {
        return new NetworkReadiness(false, NOT_READY, message);
    }
}
