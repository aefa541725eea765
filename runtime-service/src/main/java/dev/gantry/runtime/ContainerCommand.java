package dev.gantry.runtime;

import dev.gantry.cri.oci.ImageConfig;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import java.util.ArrayList;
import java.util.List;

/// What a container runs, put together from the request and its image in Docker's way: a command of the request
/// replaces the image's entry point and drops the image's arguments; arguments alone replace only those.
final class ContainerCommand {

    private ContainerCommand() {}

    /// @throws ContainerException.InvalidRequest when neither says what to run
    static List<String> arguments(ContainerConfig config, ImageContent image) {
        ImageConfig.Execution defaults = image.config();
        boolean commandGiven = config.getCommandCount() > 0;
        List<String> command = new ArrayList<>(commandGiven ? config.getCommandList() : defaults.entrypoint());
        boolean argumentsGiven = commandGiven || config.getArgsCount() > 0;
        command.addAll(argumentsGiven ? config.getArgsList() : defaults.cmd());
        if (command.isEmpty()) {
            throw new ContainerException.InvalidRequest(
                    "nothing to run: neither the request nor image %s names a command".formatted(image.name()));
        }
        for (String argument : command) {
            if (argument.indexOf('\0') >= 0) {
                throw new ContainerException.InvalidRequest(
                        "argument \"%s\" holds a NUL character".formatted(argument.replace('\0', '?')));
            }
        }
        return command;
    }
}
