package dev.gantry.sandbox;

/// A port of the pod that is to be reachable on the host (CRI `PortMapping`).
///
/// @param protocol `tcp`, `udp` or `sctp`
/// @param hostPort 0 when the port is only declared
/// @param hostIp   the host address to listen on; empty means every one
public record PodPort(String protocol, int containerPort, int hostPort, String hostIp) {

    public PodPort {
        if (containerPort < 1 || containerPort > 65535) {
            throw new SandboxException.InvalidRequest(
                    "container port %d is not between 1 and 65535".formatted(containerPort));
        }
        if (hostPort < 0 || hostPort > 65535) {
            throw new SandboxException.InvalidRequest("host port %d is not between 0 and 65535".formatted(hostPort));
        }
    }
}
