package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.CreateVolumeRequest;
import dev.gantry.cri.gantry.v1.InfoRequest;
import dev.gantry.cri.runtime.v1.ContainerFilter;
import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.ListContainersRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxRequest;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.cri.runtime.v1.PodSandboxStatusRequest;
import dev.gantry.cri.runtime.v1.RunPodSandboxRequest;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EmptyDirVolumeSource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Volume;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Runs one pod: gets its images, starts it, runs its init containers, starts its containers, and
/// then either supervises them until they end or leaves them to themselves. Whatever ends the run
/// before that, a failed step or Ctrl-C, the pod is stopped and removed again; so it is when a
/// supervised pod ends.
final class PodRun {

    /// What the kubelet allows for starting a pod.
    private static final Duration START_DEADLINE = Duration.ofMinutes(4);

    private final Connection connection;
    private final Session session;
    private final Pod pod;
    private final PodSpec spec;
    private final BackOff backOff;
    private final String uid = UUID.randomUUID().toString();
    private final PodTranslator translator;
    private final PodStop podStop;

    PodRun(Connection connection, Session session, Pod pod, PodTranslator.Node node, BackOff backOff) {
        this.connection = connection;
        this.session = session;
        this.pod = pod;
        this.spec = pod.getSpec();
        this.backOff = backOff;
        this.translator = new PodTranslator(pod, uid, node);
        this.podStop = new PodStop(connection);
    }

    /// Runs until all containers have ended for good and the pod is removed; returns the exit code.
    int inForeground() throws InterruptedException {
        try (var running = start()) {
            int code = running.initialise();
            if (code == 0) {
                code = running.supervisor.run(running.containers);
            }
            return code;
        }
    }

    /// Runs the init containers, starts the others, and returns the id of the pod, which stays.
    String detached() throws InterruptedException {
        try (var running = start()) {
            int code = running.initialise();
            if (code != 0) {
                throw new CliException.Failed("an init container ended with %d, the pod is removed".formatted(code));
            }
            running.containers.forEach(PodContainer::start);
            running.keep();
            return running.home.id();
        }
    }

    private Running start() {
        refuseTakenName();
        List<Container> all = Stream.concat(spec.getInitContainers().stream(), spec.getContainers().stream())
                .toList();
        Map<String, Image> images = StepFailure.during(
                "get the images", connection, () -> new PodImages(connection, session.terminal()).get(all));
        Map<String, String> volumes = new HashMap<>();
        for (Volume volume : spec.getVolumes()) {
            if (volume.getHostPath() != null) {
                volumes.put(volume.getName(), HostPaths.prepare(volume.getName(), volume.getHostPath()));
            }
        }
        PodSandboxConfig config = translator.sandbox(logDirectory().toString());
        String id = startSandbox(config);
        var home = new PodContainer.Home(connection, id, config);
        try {
            return new Running(home, situation(id, volumes), images);
        } catch (RuntimeException e) {
            stop(home, e);
            remove(home, e);
            throw e;
        }
    }

    /// A call that was cut off may have made the pod nonetheless: it is then found by its uid.
    private String startSandbox(PodSandboxConfig config) {
        try {
            return StepFailure.during(
                    "start the pod",
                    connection,
                    () -> connection
                            .runtime(START_DEADLINE)
                            .runPodSandbox(RunPodSandboxRequest.newBuilder()
                                    .setConfig(config)
                                    .setRuntimeHandler(Optional.ofNullable(spec.getRuntimeClassName())
                                            .orElse(""))
                                    .build())
                            .getPodSandboxId());
        } catch (RuntimeException e) {
            session.stop().acknowledge();
            try {
                for (PodSandbox stray : pods()) {
                    if (stray.getMetadata().getUid().equals(uid)) {
                        var home = new PodContainer.Home(connection, stray.getId(), config);
                        stop(home, e);
                        remove(home, e);
                    }
                }
            } catch (RuntimeException again) {
                e.addSuppressed(again);
            }
            PodLogs.remove(Path.of(config.getLogDirectory()));
            throw e;
        }
    }

    private List<PodSandbox> pods() {
        return connection
                .runtime()
                .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                .getItemsList();
    }

    private void refuseTakenName() {
        ObjectMeta metadata = pod.getMetadata();
        boolean taken = pods().stream()
                .anyMatch(p -> p.getState() == PodSandboxState.SANDBOX_READY
                        && p.getMetadata().getName().equals(metadata.getName())
                        && p.getMetadata().getNamespace().equals(metadata.getNamespace()));
        if (taken) {
            throw new CliException.Failed(
                    "pod %s/%s is there already; remove it, or give this one another name with --name"
                            .formatted(metadata.getNamespace(), metadata.getName()));
        }
    }

    private Path logDirectory() {
        String root = connection.gantry().info(InfoRequest.getDefaultInstance()).getRoot();
        return PodLogs.directory(
                Path.of(root),
                pod.getMetadata().getNamespace(),
                pod.getMetadata().getName(),
                uid);
    }

    private PodTranslator.Situation situation(String id, Map<String, String> volumes) {
        for (Volume volume : spec.getVolumes()) {
            if (volume.getEmptyDir() != null) {
                volumes.put(
                        volume.getName(),
                        StepFailure.during("make volume " + volume.getName(), connection, () -> emptyDir(id, volume)));
            }
        }
        String ip = StepFailure.during(
                "read the address of the pod",
                connection,
                () -> connection
                        .runtime()
                        .podSandboxStatus(PodSandboxStatusRequest.newBuilder()
                                .setPodSandboxId(id)
                                .build())
                        .getStatus()
                        .getNetwork()
                        .getIp());
        return new PodTranslator.Situation(ip, volumes);
    }

    private String emptyDir(String id, Volume volume) {
        EmptyDirVolumeSource source = volume.getEmptyDir();
        return connection
                .gantry()
                .createVolume(CreateVolumeRequest.newBuilder()
                        .setPodSandboxId(id)
                        .setName(volume.getName())
                        .setMedium(
                                "Memory".equals(source.getMedium())
                                        ? CreateVolumeRequest.Medium.MEMORY
                                        : CreateVolumeRequest.Medium.DISK)
                        .setSizeLimitBytes(
                                source.getSizeLimit() == null ? 0 : ResourceLimits.amount(source.getSizeLimit(), 1))
                        .build())
                .getHostPath();
    }

    /// Stops the pod. `cause` is the failure that led here, if one did: what goes wrong here is added
    /// to it.
    private void stop(PodContainer.Home home, @Nullable Throwable cause) {
        session.stop().acknowledge();
        long grace =
                Optional.ofNullable(spec.getTerminationGracePeriodSeconds()).orElse(30L);
        try {
            podStop.stopPod(home.id(), containersOf(home.id()), Duration.ofSeconds(grace));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            tell(e, cause);
        }
    }

    private void remove(PodContainer.Home home, @Nullable Throwable cause) {
        try {
            podStop.removePod(home.id(), home.config().getMetadata());
        } catch (RuntimeException e) {
            tell(e, cause);
        }
    }

    private List<dev.gantry.cri.runtime.v1.Container> containersOf(String id) {
        return connection
                .runtime()
                .listContainers(ListContainersRequest.newBuilder()
                        .setFilter(ContainerFilter.newBuilder().setPodSandboxId(id))
                        .build())
                .getContainersList();
    }

    private void tell(RuntimeException e, @Nullable Throwable cause) {
        if (cause != null) {
            cause.addSuppressed(e);
        }
        session.terminal()
                .err()
                .println("gantry: while the pod was removed: "
                        + CliException.of(e, connection.address()).sentence());
    }

    /// The pod from its start until it is removed or left to itself.
    private final class Running implements AutoCloseable {

        private final PodContainer.Home home;
        private final PodSupervisor supervisor;
        private final List<PodContainer> initContainers;
        private final List<PodContainer> containers;
        private boolean kept;

        Running(PodContainer.Home home, PodTranslator.Situation situation, Map<String, Image> images) {
            this.home = home;
            this.initContainers = containers(spec.getInitContainers(), situation, images);
            this.containers = containers(spec.getContainers(), situation, images);
            int width = Stream.concat(initContainers.stream(), containers.stream())
                    .mapToInt(c -> c.name().length())
                    .max()
                    .orElse(1);
            this.supervisor = new PodSupervisor(
                    home,
                    RestartPolicy.of(
                            Optional.ofNullable(spec.getRestartPolicy()).orElse("Always")),
                    session.terminal(),
                    width);
        }

        private List<PodContainer> containers(
                List<Container> containers, PodTranslator.Situation situation, Map<String, Image> images) {
            List<PodContainer> result = new ArrayList<>();
            for (Container c : containers) {
                Image image = Optional.ofNullable(images.get(c.getImage())).orElseThrow();
                result.add(new PodContainer(
                        home, c.getName(), backOff, attempt -> translator.container(c, attempt, image, situation)));
            }
            return result;
        }

        /// The exit code of the init container that failed for good, or zero.
        int initialise() throws InterruptedException {
            for (PodContainer container : initContainers) {
                int code = supervisor.runInit(container);
                if (code != 0) {
                    return code;
                }
            }
            return 0;
        }

        void keep() {
            kept = true;
        }

        @Override
        public void close() {
            if (kept) {
                containers.forEach(PodContainer::close);
                return;
            }
            stop(home, null);
            containers.forEach(c -> c.readLog(line -> supervisor.print(c.name(), line)));
            Stream.concat(initContainers.stream(), containers.stream()).forEach(PodContainer::close);
            remove(home, null);
        }
    }
}
