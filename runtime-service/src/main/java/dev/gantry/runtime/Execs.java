package dev.gantry.runtime;

import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Spec;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.shim.StdioFifos;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.Stream;

/// Adds processes to running containers.
final class Execs {

    private static final String TERMINAL = "TERM=xterm";

    private final Containers containers;
    private final ContainerParts parts;

    Execs(Containers containers, ContainerParts parts) {
        this.containers = containers;
        this.parts = parts;
    }

    /// The container with a process that runs, or why nothing can be executed in it.
    LiveContainers.Live check(Container container, List<String> command) {
        if (command.isEmpty()) {
            throw new ContainerException.InvalidRequest(
                    "cannot execute in container %s: no command given".formatted(container.id()));
        }
        return containers.running(container, "execute in");
    }

    /// A process that waits for its start.
    ExecProcess add(Container container, List<String> command, StdioFifos.Streams streams) {
        LiveContainers.Live live = check(container, command);
        String id = SandboxId.random().value();
        byte[] process = process(container, live, command, streams.terminal());
        ProcessIo io = parts.streams().exec(container, parts.bundle(container.id()), live.shim, id, streams);
        return ExecProcess.add(live.shim, container.id(), id, process, io);
    }

    /// The container's own process with another command line: same user, rights and environment.
    private byte[] process(Container container, LiveContainers.Live live, List<String> command, boolean terminal) {
        OciProcess own = live.process(() -> ownProcess(container));
        OciProcess.Builder process = own.toBuilder().args(command).terminal(terminal);
        if (terminal && own.env().stream().noneMatch(it -> it.startsWith("TERM="))) {
            process.env(Stream.concat(own.env().stream(), Stream.of(TERMINAL)).toList());
        }
        return process.build().toJson();
    }

    private OciProcess ownProcess(Container container) {
        try {
            byte[] config = Files.readAllBytes(parts.bundle(container.id()).config());
            OciProcess own = Spec.parse(config, "config.json of container " + container.id())
                    .process();
            if (own == null) {
                throw new IllegalStateException("the bundle of container %s has no process".formatted(container.id()));
            }
            return own;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the bundle of container " + container.id(), e);
        }
    }
}
