package dev.gantry.cli;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Checks what an API server would check before a pod gets to a node: names, references, ranges. All
/// problems are told at once.
final class PodCheck {

    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern SUBDOMAIN =
            Pattern.compile("(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
    private static final Set<String> HOST_PATH_TYPES =
            Set.of("", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice");

    private final Manifest manifest;
    private final List<String> problems = new ArrayList<>();

    private PodCheck(Manifest manifest) {
        this.manifest = manifest;
    }

    static void check(Manifest manifest) {
        var check = new PodCheck(manifest);
        check.pod(manifest.pod());
        if (!check.problems.isEmpty()) {
            throw new CliException.BadManifest(check.problems);
        }
    }

    private void refuse(String path, String sentence) {
        problems.add(manifest.problem(path, path + " " + sentence));
    }

    private void matches(@Nullable String value, Pattern pattern, String path) {
        if (value == null || value.isEmpty()) {
            refuse(path, "is missing");
        } else if (!pattern.matcher(value).matches()) {
            refuse(path, "is %s, but has to be lower-case letters, digits and dashes".formatted(value));
        }
    }

    private static <T> List<T> list(@Nullable List<T> value) {
        return value == null ? List.of() : value;
    }

    private void pod(Pod pod) {
        matches(pod.getMetadata() == null ? null : pod.getMetadata().getName(), SUBDOMAIN, "metadata.name");
        if (pod.getMetadata() != null && pod.getMetadata().getNamespace() != null) {
            matches(pod.getMetadata().getNamespace(), LABEL, "metadata.namespace");
        }
        PodSpec spec = pod.getSpec();
        if (spec == null || list(spec.getContainers()).isEmpty()) {
            refuse("spec.containers", "is missing: a pod needs a container");
            return;
        }
        Long grace = spec.getTerminationGracePeriodSeconds();
        if (grace != null && grace < 0) {
            refuse("spec.terminationGracePeriodSeconds", "is negative");
        }
        if (spec.getHostname() != null) {
            matches(spec.getHostname(), LABEL, "spec.hostname");
        }
        boolean ownServers = spec.getDnsConfig() != null
                && !list(spec.getDnsConfig().getNameservers()).isEmpty();
        if ("None".equals(spec.getDnsPolicy()) && !ownServers) {
            refuse("spec.dnsConfig.nameservers", "is missing: dnsPolicy None needs one");
        }
        if (Boolean.TRUE.equals(spec.getHostPID()) && Boolean.TRUE.equals(spec.getShareProcessNamespace())) {
            refuse("spec.shareProcessNamespace", "cannot be true together with hostPID");
        }
        Set<String> volumes = volumes(list(spec.getVolumes()));
        Set<String> names = new HashSet<>();
        containers("spec.initContainers", list(spec.getInitContainers()), volumes, names);
        containers("spec.containers", spec.getContainers(), volumes, names);
    }

    private Set<String> volumes(List<Volume> volumes) {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < volumes.size(); i++) {
            String path = "spec.volumes[" + i + "]";
            Volume volume = volumes.get(i);
            matches(volume.getName(), LABEL, path + ".name");
            if (!names.add(String.valueOf(volume.getName()))) {
                refuse(path + ".name", "is there twice: " + volume.getName());
            }
            if ((volume.getEmptyDir() == null) == (volume.getHostPath() == null)) {
                refuse(path, "needs either emptyDir or hostPath");
            } else if (volume.getEmptyDir() != null) {
                quantity(volume.getEmptyDir().getSizeLimit(), path + ".emptyDir.sizeLimit");
            } else {
                hostPath(volume.getHostPath().getPath(), volume.getHostPath().getType(), path + ".hostPath");
            }
        }
        return names;
    }

    private void hostPath(@Nullable String file, @Nullable String type, String path) {
        if (file == null || !file.startsWith("/")) {
            refuse(path + ".path", "has to be an absolute path");
        } else if (List.of(file.split("/", -1)).contains("..")) {
            refuse(path + ".path", "must not contain ..");
        }
        if (!HOST_PATH_TYPES.contains(Optional.ofNullable(type).orElse(""))) {
            refuse(path + ".type", "is %s, which is no type of hostPath".formatted(type));
        }
    }

    private void containers(String list, List<Container> containers, Set<String> volumes, Set<String> names) {
        for (int i = 0; i < containers.size(); i++) {
            String path = list + "[" + i + "]";
            Container container = containers.get(i);
            matches(container.getName(), LABEL, path + ".name");
            if (!names.add(String.valueOf(container.getName()))) {
                refuse(path + ".name", "is there twice: " + container.getName());
            }
            if (container.getImage() == null || container.getImage().isBlank()) {
                refuse(path + ".image", "is missing");
            }
            environment(list(container.getEnv()), path + ".env");
            ports(list(container.getPorts()), path + ".ports");
            mounts(container, volumes, path);
            resources(container, path + ".resources");
            if (container.getSecurityContext() != null) {
                security(container, path + ".securityContext");
            }
        }
    }

    private void security(Container container, String path) {
        var security = container.getSecurityContext();
        if (Boolean.TRUE.equals(security.getPrivileged())
                && Boolean.FALSE.equals(security.getAllowPrivilegeEscalation())) {
            refuse(path + ".allowPrivilegeEscalation", "cannot be false in a privileged container");
        }
    }

    private void environment(List<EnvVar> variables, String list) {
        for (int i = 0; i < variables.size(); i++) {
            EnvVar variable = variables.get(i);
            String path = list + "[" + i + "]";
            String name = variable.getName();
            if (name == null || name.isEmpty() || name.contains("=") || name.indexOf('\0') >= 0) {
                refuse(path + ".name", "is no name of a variable");
            }
            if (variable.getValueFrom() == null) {
                continue;
            }
            String field = variable.getValueFrom().getFieldRef() == null
                    ? ""
                    : variable.getValueFrom().getFieldRef().getFieldPath();
            if (variable.getValue() != null && !variable.getValue().isEmpty()) {
                refuse(path, "has both value and valueFrom");
            } else if (!FieldReferences.supported(field)) {
                refuse(path + ".valueFrom.fieldRef.fieldPath", "cannot be %s here".formatted(field));
            }
        }
    }

    private void ports(List<ContainerPort> ports, String list) {
        for (int i = 0; i < ports.size(); i++) {
            String path = list + "[" + i + "]";
            port(ports.get(i).getContainerPort(), true, path + ".containerPort");
            port(ports.get(i).getHostPort(), false, path + ".hostPort");
        }
    }

    private void port(@Nullable Integer port, boolean needed, String path) {
        if (port == null ? needed : port < 1 || port > 65535) {
            refuse(path, "has to be a port from 1 to 65535");
        }
    }

    private void mounts(Container container, Set<String> volumes, String path) {
        Set<String> places = new HashSet<>();
        List<VolumeMount> mounts = list(container.getVolumeMounts());
        for (int i = 0; i < mounts.size(); i++) {
            VolumeMount mount = mounts.get(i);
            String at = path + ".volumeMounts[" + i + "]";
            if (!volumes.contains(String.valueOf(mount.getName()))) {
                refuse(at + ".name", "is %s, which is no volume of this pod".formatted(mount.getName()));
            }
            if (mount.getMountPath() == null
                    || mount.getMountPath().isEmpty()
                    || mount.getMountPath().contains(":")) {
                refuse(at + ".mountPath", "has to be a path without colons");
            } else if (!places.add(mount.getMountPath())) {
                refuse(at + ".mountPath", "is there twice: " + mount.getMountPath());
            }
            boolean privileged = container.getSecurityContext() != null
                    && Boolean.TRUE.equals(container.getSecurityContext().getPrivileged());
            if ("Bidirectional".equals(mount.getMountPropagation()) && !privileged) {
                refuse(at + ".mountPropagation", "can be Bidirectional only in a privileged container");
            }
        }
    }

    private void resources(Container container, String path) {
        if (container.getResources() == null) {
            return;
        }
        int before = problems.size();
        quantities(container.getResources().getRequests(), path + ".requests");
        quantities(container.getResources().getLimits(), path + ".limits");
        if (problems.size() > before) {
            return;
        }
        ResourceLimits limits = ResourceLimits.of(container);
        if (limits.cpuLimit() > 0 && limits.cpuRequest() > limits.cpuLimit()) {
            refuse(path + ".requests.cpu", "is more than the limit");
        }
        if (limits.memoryLimit() > 0 && limits.memoryRequest() > limits.memoryLimit()) {
            refuse(path + ".requests.memory", "is more than the limit");
        }
    }

    private void quantities(@Nullable Map<String, Quantity> map, String path) {
        if (map != null) {
            map.forEach((name, quantity) -> quantity(quantity, path + "." + name));
        }
    }

    private void quantity(@Nullable Quantity quantity, String path) {
        if (quantity == null) {
            return;
        }
        try {
            if (ResourceLimits.amount(quantity, 1000) < 0) {
                refuse(path, "is negative");
            }
        } catch (ArithmeticException | IllegalArgumentException e) {
            refuse(path, "is %s, which is no quantity".formatted(quantity));
        }
    }
}
