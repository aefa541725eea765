package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.PodSandbox;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `gantry rm`: removes pods with their containers, volumes and logs.
final class RmCommand implements Command {

    @Option(
            names = {"-f", "--force"},
            description = "Stop containers that still run.")
    private boolean force;

    @Option(names = "--all", description = "All pods of this daemon.")
    private boolean all;

    @Option(
            names = {"-t", "--time"},
            paramLabel = "SECONDS",
            description = "With -f: grace between the stop signal and the kill; 10 unless given.")
    private long grace = 10;

    @Parameters(arity = "0..*", paramLabel = "POD", description = "Ids or names.")
    private List<String> references = new ArrayList<>();

    @Override
    public int run(Session session) throws InterruptedException {
        if (all == !references.isEmpty()) {
            throw new CliException.Usage("rm needs the names of pods, or --all");
        }
        try (Connection connection = session.connect()) {
            var finder = new Finder(connection);
            var stop = new PodStop(connection);
            List<String> wanted =
                    all ? finder.pods().stream().map(PodSandbox::getId).toList() : references;
            return ForEach.run(session, wanted, reference -> {
                PodSandbox pod = finder.pod(reference);
                List<Container> containers = finder.containersOf(pod);
                boolean runs = containers.stream().anyMatch(c -> c.getState() == ContainerState.CONTAINER_RUNNING);
                if (runs && !force) {
                    throw new CliException.Failed("pod %s runs; stop it first, or use rm -f"
                            .formatted(pod.getMetadata().getName()));
                }
                stop.stopPod(pod.getId(), containers, Duration.ofSeconds(grace));
                stop.removePod(pod.getId(), pod.getMetadata());
                session.terminal().out().println(reference);
            });
        }
    }
}
