package dev.gantry.runtime;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.Device;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// The devices of a container and the rules of its cgroup for them. What every container has (`/dev/null` and so on)
/// the OCI runtime adds itself.
record ContainerDevices(List<Linux.Device> nodes, List<Resources.DeviceRule> rules) {

    private static final Path DEV = Path.of("/dev");
    private static final Pattern ACCESS = Pattern.compile("[rwm]{1,3}");

    ContainerDevices {
        nodes = List.copyOf(nodes);
        rules = List.copyOf(rules);
    }

    /// @param owned whether devices that the request names belong to the user and group that it names, too
    /// @param hosts whether a privileged container has the host's devices
    static ContainerDevices of(ContainerConfig config, boolean owned, boolean hosts) {
        boolean privileged = hosts && config.getLinux().getSecurityContext().getPrivileged();
        Map<String, Linux.Device> nodes = new LinkedHashMap<>();
        List<Resources.DeviceRule> rules = new ArrayList<>();
        rules.add(privileged ? Resources.DeviceRule.ALLOW_ALL : Resources.DeviceRule.DENY_ALL);
        if (privileged) {
            HostDevices.all(DEV)
                    .forEach(it ->
                            nodes.put(it.path().toString(), it.at(it.path().toString())));
        }
        for (Device device : config.getDevicesList()) {
            String access = access(device);
            Path host = existing(device);
            ContainerPath target = ContainerPath.of(
                    "device path",
                    device.getContainerPath().isEmpty() ? device.getHostPath() : device.getContainerPath());
            for (HostDevices.Node node : nodes(device, host)) {
                String path = ContainerPath.clean(target + "/" + host.relativize(node.path()))
                        .value();
                nodes.put(path, owned ? owned(node.at(path), config) : node.at(path));
                if (!privileged) {
                    rules.add(node.allow(access));
                }
            }
        }
        return new ContainerDevices(List.copyOf(nodes.values()), rules);
    }

    private static Linux.Device owned(Linux.Device node, ContainerConfig config) {
        LinuxContainerSecurityContext security = config.getLinux().getSecurityContext();
        return new Linux.Device(
                node.path(),
                node.type(),
                node.major(),
                node.minor(),
                node.fileMode(),
                security.hasRunAsUser() ? (Long) security.getRunAsUser().getValue() : node.uid(),
                security.hasRunAsGroup() ? (Long) security.getRunAsGroup().getValue() : node.gid());
    }

    private static List<HostDevices.Node> nodes(Device device, Path host) {
        List<HostDevices.Node> nodes = HostDevices.below(host);
        if (nodes.isEmpty()) {
            throw new ContainerException.InvalidRequest(
                    "host path %s of device %s is no device and holds none".formatted(host, device.getContainerPath()));
        }
        return nodes;
    }

    private static Path existing(Device device) {
        Path given = HostPaths.absolute("host path of a device", device.getHostPath());
        try {
            return given.toRealPath();
        } catch (IOException _) {
            throw new ContainerException.InvalidRequest(
                    "host path %s of device %s does not exist".formatted(given, device.getContainerPath()));
        }
    }

    private static String access(Device device) {
        String access = device.getPermissions().isEmpty() ? "rwm" : device.getPermissions();
        boolean distinct = access.chars().distinct().count() == access.length();
        if (!ACCESS.matcher(access).matches() || !distinct) {
            throw new ContainerException.InvalidRequest("permissions \"%s\" of device %s are not some of r, w and m"
                    .formatted(access, device.getContainerPath()));
        }
        return access;
    }
}
