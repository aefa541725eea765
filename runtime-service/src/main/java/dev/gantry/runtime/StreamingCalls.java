package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.AttachRequest;
import dev.gantry.cri.runtime.v1.ExecRequest;
import dev.gantry.cri.runtime.v1.PortForwardRequest;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.sandbox.Sandboxes;
import java.util.function.Function;

/// Prepares streams (CRI `Exec`, `Attach`, `PortForward`): looks whether they can be had and says where.
final class StreamingCalls {

    private static final int MAX_PORT = 65_535;

    private final Containers containers;
    private final Sandboxes sandboxes;
    private final Execs execs;
    private final Function<StreamRequest, String> addresses;

    /// @param addresses gives a request the address where it is served, once
    StreamingCalls(Containers containers, Sandboxes sandboxes, Execs execs, Function<StreamRequest, String> addresses) {
        this.containers = containers;
        this.sandboxes = sandboxes;
        this.execs = execs;
        this.addresses = addresses;
    }

    String exec(ExecRequest request) {
        Container container = containers.get(request.getContainerId());
        ProcessIo.Wanted streams = streams(
                "execute in container " + container.id(),
                request.getStdin(),
                request.getStdout(),
                request.getStderr(),
                request.getTty());
        execs.check(container, request.getCmdList());
        return addresses.apply(new StreamRequest.Exec(container.id(), request.getCmdList(), streams, request.getTty()));
    }

    String attach(AttachRequest request) {
        Container container = containers.get(request.getContainerId());
        ProcessIo.Wanted streams = streams(
                "attach to container " + container.id(),
                request.getStdin(),
                request.getStdout(),
                request.getStderr(),
                request.getTty());
        containers.running(container, "attach to");
        return addresses.apply(new StreamRequest.Attach(container.id(), streams, request.getTty()));
    }

    private static ProcessIo.Wanted streams(
            String attempt, boolean stdin, boolean stdout, boolean stderr, boolean terminal) {
        if (!stdin && !stdout && !stderr) {
            throw new ContainerException.InvalidRequest(
                    "cannot %s: ask for at least one of stdin, stdout and stderr".formatted(attempt));
        }
        if (terminal && stderr) {
            throw new ContainerException.InvalidRequest(
                    "cannot %s: a terminal has no separate stderr; ask for stdout alone".formatted(attempt));
        }
        return new ProcessIo.Wanted(stdin, stdout, stderr);
    }

    String portForward(PortForwardRequest request) {
        Sandbox sandbox = sandboxes.get(request.getPodSandboxId());
        if (sandbox.state() != SandboxState.READY) {
            throw new SandboxException.WrongState(
                    "cannot forward ports to pod sandbox %s: it does not run".formatted(sandbox.id()));
        }
        for (int port : request.getPortList()) {
            if (port < 1 || port > MAX_PORT) {
                throw new ContainerException.InvalidRequest(
                        "cannot forward to port %d of pod sandbox %s: ports go from 1 to %d"
                                .formatted(port, sandbox.id(), MAX_PORT));
            }
        }
        return addresses.apply(new StreamRequest.PortForward(sandbox.id().value(), request.getPortList()));
    }
}
