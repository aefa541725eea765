package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.PodSandbox;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `gantry stop`: ends containers, or pods with all their containers. A name that both a pod and a
/// container have means the pod.
final class StopCommand implements Command {

    @Option(
            names = {"-t", "--time"},
            paramLabel = "SECONDS",
            description = "Grace between the stop signal and the kill; 30 unless given.")
    private long grace = 30;

    @Parameters(arity = "1..*", paramLabel = "POD|CONTAINER", description = "Ids or names.")
    private List<String> references = new ArrayList<>();

    @Override
    public int run(Session session) throws InterruptedException {
        try (Connection connection = session.connect()) {
            var finder = new Finder(connection);
            var stop = new PodStop(connection);
            return ForEach.run(session, references, reference -> {
                Optional<PodSandbox> pod = finder.findPod(reference);
                if (pod.isPresent()) {
                    stop.stopPod(pod.get().getId(), finder.containersOf(pod.get()), Duration.ofSeconds(grace));
                } else {
                    String container = finder.findContainer(reference)
                            .orElseThrow(() -> new CliException.NotFound("there is no pod or container " + reference))
                            .getId();
                    stop.stopContainer(container, Duration.ofSeconds(grace));
                }
                session.terminal().out().println(reference);
            });
        }
    }
}
