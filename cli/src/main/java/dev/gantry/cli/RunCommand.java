package dev.gantry.cli;

import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `gantry run`: runs a pod from a manifest and supervises it until it ends or is told to stop; or,
/// with `-d`, starts it and leaves it to itself.
@CommandLine.Command(
        footer = {
            "",
            "In the foreground the pod is supervised: containers that end are started again by its restartPolicy,",
            "after 1 s, 2 s, 4 s and so on up to 5 min; their output is printed; Ctrl-C or SIGTERM stops the pod",
            "with its grace period. When it has ended it is removed, with its volumes and logs, and the exit code",
            "is that of the first container that failed for good. Logs lie in the daemon's root, in",
            "logs/NAMESPACE_NAME_UID/CONTAINER/ATTEMPT.log. Fields that cannot be carried out are refused by name.",
            "A pod that names no seccomp profile gets the runtime's default one."
        })
final class RunCommand implements Command {

    @Option(
            names = {"-d", "--detach"},
            description = "Return once all containers run; only for restartPolicy Never. Prints the pod's id.")
    private boolean detach;

    @Option(names = "--name", paramLabel = "NAME", description = "Another name for the pod than the manifest's.")
    private @Nullable String name;

    @Parameters(index = "0", paramLabel = "POD.yaml", description = "The manifest of one pod.")
    private Path file = Path.of("");

    @Override
    public int run(Session session) throws InterruptedException {
        Manifest manifest = ManifestReader.read(file);
        Pod pod = withDefaults(manifest.pod());
        PodCheck.check(manifest);
        if (detach && !"Never".equals(pod.getSpec().getRestartPolicy())) {
            throw new CliException.Usage(
                    "-d needs restartPolicy Never: nobody would be there to start the containers again");
        }
        session.stop().listen();
        try (Connection connection = session.connect()) {
            var run = new PodRun(connection, session, pod, node(), BackOff.DEFAULT);
            if (!detach) {
                return run.inForeground();
            }
            session.terminal().out().println(run.detached());
            return ExitCode.OK.value();
        }
    }

    private Pod withDefaults(Pod pod) {
        var metadata = pod.getMetadata();
        if (metadata != null) {
            if (name != null) {
                metadata.setName(name);
            }
            if (metadata.getNamespace() == null) {
                metadata.setNamespace("default");
            }
        }
        return pod;
    }

    private static PodTranslator.Node node() {
        try {
            long kilobytes = Files.readAllLines(Path.of("/proc/meminfo")).stream()
                    .filter(line -> line.startsWith("MemTotal:"))
                    .map(line -> line.replaceAll("\\D", ""))
                    .mapToLong(Long::parseLong)
                    .findFirst()
                    .orElseThrow(() -> new CliException.Failed("cannot read the size of memory from /proc/meminfo"));
            Path resolvConf = Path.of("/etc/resolv.conf");
            return new PodTranslator.Node(
                    kilobytes * 1024, Files.exists(resolvConf) ? Files.readAllLines(resolvConf) : List.of());
        } catch (IOException e) {
            throw new CliException.Failed("cannot read what the node is like: " + e.getMessage(), e);
        }
    }
}
