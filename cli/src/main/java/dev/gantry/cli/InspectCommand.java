package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.ContainerStatusRequest;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxStatusRequest;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `gantry inspect`: everything that CRI tells about a pod or a container, with the names that CRI
/// gives it. A name that both a pod and a container have means the pod.
final class InspectCommand implements Command {

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            description = "json (unless given) or yaml.")
    private OutputFormat format = OutputFormat.JSON;

    @Parameters(index = "0", paramLabel = "POD|CONTAINER", description = "An id or a name.")
    private String reference = "";

    @Override
    public int run(Session session) {
        if (format == OutputFormat.TABLE) {
            throw new CliException.Usage("inspect prints json or yaml, not a table");
        }
        Map<String, Object> document;
        try (Connection connection = session.connect()) {
            document = document(connection);
        }
        session.terminal()
                .out()
                .print(format == OutputFormat.YAML ? Documents.yaml(document) : Documents.json(document));
        return ExitCode.OK.value();
    }

    private Map<String, Object> document(Connection connection) {
        var finder = new Finder(connection);
        Optional<PodSandbox> pod = finder.findPod(reference);
        if (pod.isPresent()) {
            return Messages.plain(connection
                    .runtime()
                    .podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                            .setPodSandboxId(pod.get().getId())
                            .build())
                    .getStatus());
        }
        String id = finder.findContainer(reference)
                .orElseThrow(() -> new CliException.NotFound("there is no pod or container " + reference))
                .getId();
        return Messages.plain(connection
                .runtime()
                .containerStatus(
                        ContainerStatusRequest.newBuilder().setContainerId(id).build())
                .getStatus());
    }
}
