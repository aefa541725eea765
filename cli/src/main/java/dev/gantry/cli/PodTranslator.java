package dev.gantry.cli;

import com.google.protobuf.ByteString;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.ContainerMetadata;
import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.KeyValue;
import dev.gantry.cri.runtime.v1.LinuxContainerConfig;
import dev.gantry.cri.runtime.v1.LinuxPodSandboxConfig;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.MountPropagation;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.PortMapping;
import dev.gantry.cri.runtime.v1.Protocol;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Sysctl;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Turns a checked pod into the messages of CRI, as the kubelet fills them. Pure: what is found out
/// on the way (addresses, folders of volumes, images) is passed in.
final class PodTranslator {

    /// What is known only once the pod is there. Volumes lead from their names to folders of the node.
    record Situation(String podIp, Map<String, String> volumes) {}

    /// What the node brings along: its memory in bytes, and the lines of its resolv.conf.
    record Node(long memory, List<String> resolvConf) {}

    private final PodSpec spec;
    private final ObjectMeta metadata;
    private final String uid;
    private final Node node;
    private final ContainerSecurity security;

    PodTranslator(Pod pod, String uid, Node node) {
        this.spec = pod.getSpec();
        this.metadata = pod.getMetadata();
        this.uid = uid;
        this.node = node;
        this.security = new ContainerSecurity(spec);
    }

    PodSandboxConfig sandbox(String logDirectory) {
        boolean privileged = all().anyMatch(ContainerSecurity::privileged);
        var linux = LinuxPodSandboxConfig.newBuilder()
                .setSecurityContext(security.sandbox(privileged))
                .setResources(ResourceLimits.forPod(limits(spec.getContainers()), limits(spec.getInitContainers())));
        if (spec.getSecurityContext() != null) {
            for (Sysctl sysctl : list(spec.getSecurityContext().getSysctls())) {
                linux.putSysctls(sysctl.getName(), sysctl.getValue());
            }
        }
        var config = PodSandboxConfig.newBuilder()
                .setMetadata(PodSandboxMetadata.newBuilder()
                        .setName(metadata.getName())
                        .setNamespace(metadata.getNamespace())
                        .setUid(uid))
                .setLogDirectory(logDirectory)
                .putAllLabels(map(metadata.getLabels()))
                .putAllLabels(identity())
                .putAllAnnotations(map(metadata.getAnnotations()))
                .setLinux(linux);
        DnsSettings.of(spec, node.resolvConf()).ifPresent(config::setDnsConfig);
        if (!Boolean.TRUE.equals(spec.getHostNetwork())) {
            config.setHostname(hostname()).addAllPortMappings(portMappings());
        }
        return config.build();
    }

    private String hostname() {
        String name = spec.getHostname() == null ? metadata.getName() : spec.getHostname();
        return name.length() <= 63 ? name : name.substring(0, 63).replaceAll("[-.]+$", "");
    }

    private Map<String, String> identity() {
        return Map.of(
                "io.kubernetes.pod.name", metadata.getName(),
                "io.kubernetes.pod.namespace", metadata.getNamespace(),
                "io.kubernetes.pod.uid", uid);
    }

    private Stream<Container> all() {
        return Stream.concat(list(spec.getInitContainers()).stream(), spec.getContainers().stream());
    }

    private static List<ResourceLimits> limits(@Nullable List<Container> containers) {
        return list(containers).stream().map(ResourceLimits::of).toList();
    }

    /// The ports that the node opens for the pod; those of containers alone need nothing.
    private List<PortMapping> portMappings() {
        return spec.getContainers().stream()
                .flatMap(c -> list(c.getPorts()).stream())
                .filter(port -> port.getHostPort() != null)
                .map(PodTranslator::portMapping)
                .toList();
    }

    private static PortMapping portMapping(ContainerPort port) {
        return PortMapping.newBuilder()
                .setContainerPort(port.getContainerPort())
                .setHostPort(port.getHostPort())
                .setHostIp(Optional.ofNullable(port.getHostIP()).orElse(""))
                .setProtocol(
                        Protocol.valueOf(Optional.ofNullable(port.getProtocol()).orElse("TCP")))
                .build();
    }

    ContainerConfig container(Container container, int attempt, Image image, Situation situation) {
        Map<String, String> environment = environment(container, situation);
        var config = ContainerConfig.newBuilder()
                .setMetadata(ContainerMetadata.newBuilder()
                        .setName(container.getName())
                        .setAttempt(attempt))
                .setImage(ImageSpec.newBuilder().setImage(image.getId()).setUserSpecifiedImage(container.getImage()))
                .setWorkingDir(Optional.ofNullable(container.getWorkingDir()).orElse(""))
                .setLogPath(PodLogs.file(container.getName(), attempt))
                .setStdin(Boolean.TRUE.equals(container.getStdin()))
                .setStdinOnce(Boolean.TRUE.equals(container.getStdinOnce()))
                .setTty(Boolean.TRUE.equals(container.getTty()))
                .putAllLabels(identity())
                .putLabels("io.kubernetes.container.name", container.getName())
                .putAnnotations("io.kubernetes.container.restartCount", Integer.toString(attempt))
                .setLinux(LinuxContainerConfig.newBuilder()
                        .setResources(ResourceLimits.of(container).forContainer(oomScore(container)))
                        .setSecurityContext(security.container(container, image)));
        list(container.getCommand()).forEach(word -> config.addCommand(Variables.expand(word, environment)));
        list(container.getArgs()).forEach(word -> config.addArgs(Variables.expand(word, environment)));
        environment.forEach((name, value) ->
                config.addEnvs(KeyValue.newBuilder().setKey(name).setValue(ByteString.copyFromUtf8(value))));
        list(container.getVolumeMounts()).forEach(mount -> config.addMounts(mount(mount, situation)));
        return config.build();
    }

    private int oomScore(Container container) {
        List<ResourceLimits> limits = all().map(ResourceLimits::of).toList();
        return ResourceLimits.of(container).oomScore(ResourceLimits.quality(limits), node.memory());
    }

    /// A variable can use those before it; the last of one name counts.
    private Map<String, String> environment(Container container, Situation situation) {
        var fields = new FieldReferences(metadata, uid, situation.podIp());
        Map<String, String> environment = new LinkedHashMap<>();
        for (EnvVar variable : list(container.getEnv())) {
            String value = variable.getValueFrom() == null
                    ? Variables.expand(Optional.ofNullable(variable.getValue()).orElse(""), environment)
                    : fields.value(variable.getValueFrom().getFieldRef().getFieldPath());
            environment.put(variable.getName(), value);
        }
        return environment;
    }

    private static Mount mount(VolumeMount mount, Situation situation) {
        String path = mount.getMountPath();
        String folder = situation.volumes().get(mount.getName());
        if (folder == null) {
            throw new IllegalArgumentException("no folder was made for volume " + mount.getName());
        }
        return Mount.newBuilder()
                .setContainerPath(path.startsWith("/") ? path : "/" + path)
                .setHostPath(folder)
                .setReadonly(Boolean.TRUE.equals(mount.getReadOnly()))
                .setPropagation(propagation(
                        Optional.ofNullable(mount.getMountPropagation()).orElse("None")))
                .build();
    }

    private static MountPropagation propagation(String word) {
        return switch (word) {
            case "HostToContainer" -> MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
            case "Bidirectional" -> MountPropagation.PROPAGATION_BIDIRECTIONAL;
            default -> MountPropagation.PROPAGATION_PRIVATE;
        };
    }

    private static <T> List<T> list(@Nullable List<T> value) {
        return value == null ? new ArrayList<>() : value;
    }

    private static Map<String, String> map(@Nullable Map<String, String> value) {
        return value == null ? Map.of() : value;
    }
}
