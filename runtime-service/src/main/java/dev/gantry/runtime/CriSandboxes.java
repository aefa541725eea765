package dev.gantry.runtime;

import dev.gantry.cri.runtime.v1.DNSConfig;
import dev.gantry.cri.runtime.v1.HugepageLimit;
import dev.gantry.cri.runtime.v1.IDMapping;
import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.cri.runtime.v1.LinuxPodSandboxConfig;
import dev.gantry.cri.runtime.v1.LinuxPodSandboxStatus;
import dev.gantry.cri.runtime.v1.LinuxSandboxSecurityContext;
import dev.gantry.cri.runtime.v1.Namespace;
import dev.gantry.cri.runtime.v1.NamespaceOption;
import dev.gantry.cri.runtime.v1.PodIP;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxConfig;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.PodSandboxNetworkStatus;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import dev.gantry.cri.runtime.v1.PodSandboxStatus;
import dev.gantry.cri.runtime.v1.PortMapping;
import dev.gantry.cri.runtime.v1.Protocol;
import dev.gantry.cri.runtime.v1.SELinuxOption;
import dev.gantry.cri.runtime.v1.SecurityProfile.ProfileType;
import dev.gantry.cri.runtime.v1.SupplementalGroupsPolicy;
import dev.gantry.cri.runtime.v1.UserNamespace;
import dev.gantry.linux.IdMapping;
import dev.gantry.sandbox.DnsConfig;
import dev.gantry.sandbox.LinuxResources;
import dev.gantry.sandbox.NamespaceMode;
import dev.gantry.sandbox.PodPort;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxConfig;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.sandbox.SandboxMetadata;
import dev.gantry.sandbox.SandboxNamespaces;
import dev.gantry.sandbox.SandboxSecurity;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.sandbox.SecurityProfile;
import dev.gantry.sandbox.SelinuxLabel;
import dev.gantry.sandbox.UserIds;
import dev.gantry.storage.Times;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/// Pod sandboxes between the CRI messages and the model.
final class CriSandboxes {

    private CriSandboxes() {}

    /// What a request asks for.
    ///
    /// @throws SandboxException.InvalidRequest when it cannot be
    static SandboxConfig config(PodSandboxConfig message) {
        if (!message.hasMetadata()) {
            throw new SandboxException.InvalidRequest("a pod sandbox needs metadata");
        }
        if (message.hasWindows()) {
            throw new SandboxException.InvalidRequest("the pod has settings for Windows, and this node has Linux");
        }
        checkSize(message);
        PodSandboxMetadata metadata = message.getMetadata();
        LinuxPodSandboxConfig linux = message.getLinux();
        return new SandboxConfig(
                new SandboxMetadata(
                        metadata.getName(), metadata.getNamespace(), metadata.getUid(), metadata.getAttempt()),
                message.getHostname(),
                message.getLogDirectory(),
                new DnsConfig(
                        message.getDnsConfig().getServersList(),
                        message.getDnsConfig().getSearchesList(),
                        message.getDnsConfig().getOptionsList()),
                message.getPortMappingsList().stream().map(CriSandboxes::port).toList(),
                message.getLabelsMap(),
                message.getAnnotationsMap(),
                linux.getCgroupParent(),
                linux.getSysctlsMap(),
                security(linux.getSecurityContext()),
                resources(linux.hasOverhead(), linux.getOverhead()),
                resources(linux.hasResources(), linux.getResources()));
    }

    private static void checkSize(PodSandboxConfig message) {
        try {
            ContainerAnnotations.checkSize(message.getLabelsMap(), message.getAnnotationsMap());
        } catch (ContainerException.InvalidRequest e) {
            throw new SandboxException.InvalidRequest("the pod's " + e.getMessage());
        }
    }

    /// Limits, unless the request says nothing of them.
    static Optional<LinuxResources> resources(boolean said, LinuxContainerResources message) {
        return said ? Optional.of(resources(message)) : Optional.empty();
    }

    private static PodPort port(PortMapping message) {
        return new PodPort(protocol(message), message.getContainerPort(), message.getHostPort(), message.getHostIp());
    }

    private static String protocol(PortMapping message) {
        return switch (message.getProtocol()) {
            case TCP, UDP, SCTP -> message.getProtocol().name().toLowerCase(Locale.ROOT);
            case UNRECOGNIZED ->
                throw new SandboxException.InvalidRequest("unknown protocol %d of container port %d"
                        .formatted(message.getProtocolValue(), message.getContainerPort()));
        };
    }

    private static boolean strictGroups(LinuxSandboxSecurityContext message) {
        return switch (message.getSupplementalGroupsPolicy()) {
            case Merge -> false;
            case Strict -> true;
            case UNRECOGNIZED ->
                throw new SandboxException.InvalidRequest(
                        "unknown supplemental groups policy %d".formatted(message.getSupplementalGroupsPolicyValue()));
        };
    }

    private static SandboxSecurity security(LinuxSandboxSecurityContext message) {
        return new SandboxSecurity(
                namespaces(message.getNamespaceOptions()),
                message.getPrivileged(),
                message.hasRunAsUser() ? OptionalLong.of(message.getRunAsUser().getValue()) : OptionalLong.empty(),
                message.hasRunAsGroup()
                        ? OptionalLong.of(message.getRunAsGroup().getValue())
                        : OptionalLong.empty(),
                message.getSupplementalGroupsList(),
                strictGroups(message),
                message.getReadonlyRootfs(),
                seccomp(message),
                message.hasApparmor() ? profile(message.getApparmor()) : new SecurityProfile.Unset(),
                selinux(message.getSelinuxOptions()));
    }

    private static SandboxNamespaces namespaces(NamespaceOption message) {
        return new SandboxNamespaces(
                mode(message.getNetwork()), mode(message.getPid()), mode(message.getIpc()), users(message));
    }

    /// The ids of a pod or container with a user namespace that is not the host's.
    static Optional<UserIds> users(NamespaceOption message) {
        if (!message.hasUsernsOptions()) {
            return Optional.empty();
        }
        UserNamespace users = message.getUsernsOptions();
        return switch (mode(users.getMode())) {
            case POD -> Optional.of(new UserIds(only("user", users.getUidsList()), only("group", users.getGidsList())));
            case NODE -> {
                if (users.getUidsCount() + users.getGidsCount() > 0) {
                    throw new SandboxException.InvalidRequest(
                            "user namespace mode NODE means the host's ids, so it cannot have mappings");
                }
                yield Optional.empty();
            }
            case CONTAINER, TARGET ->
                throw new SandboxException.InvalidRequest(
                        "a pod's user namespace is POD or NODE, not " + users.getMode());
        };
    }

    private static IdMapping only(String what, List<IDMapping> mappings) {
        if (mappings.size() != 1) {
            throw new SandboxException.InvalidRequest(
                    "a pod's user namespace needs exactly one mapping of %s ids, not %d"
                            .formatted(what, mappings.size()));
        }
        try {
            return mapping(mappings.getFirst());
        } catch (IllegalArgumentException e) {
            throw new SandboxException.InvalidRequest("a pod's user namespace: " + e.getMessage());
        }
    }

    /// @throws IllegalArgumentException if it maps nothing or what no kernel knows
    static IdMapping mapping(IDMapping message) {
        return new IdMapping(
                Integer.toUnsignedLong(message.getContainerId()),
                Integer.toUnsignedLong(message.getHostId()),
                Integer.toUnsignedLong(message.getLength()));
    }

    private static IDMapping message(IdMapping mapping) {
        return IDMapping.newBuilder()
                .setContainerId((int) mapping.container())
                .setHostId((int) mapping.host())
                .setLength((int) mapping.size())
                .build();
    }

    static NamespaceMode mode(dev.gantry.cri.runtime.v1.NamespaceMode message) {
        return switch (message) {
            case POD -> NamespaceMode.POD;
            case CONTAINER -> NamespaceMode.CONTAINER;
            case NODE -> NamespaceMode.NODE;
            case TARGET -> NamespaceMode.TARGET;
            case UNRECOGNIZED -> throw new SandboxException.InvalidRequest("unknown namespace mode");
        };
    }

    @SuppressWarnings("deprecation") // crictl manifests of old still say the profile by path
    private static SecurityProfile seccomp(LinuxSandboxSecurityContext message) {
        return message.hasSeccomp() ? profile(message.getSeccomp()) : profile(message.getSeccompProfilePath());
    }

    static SecurityProfile profile(dev.gantry.cri.runtime.v1.SecurityProfile message) {
        return switch (message.getProfileType()) {
            case RuntimeDefault -> new SecurityProfile.RuntimeDefault();
            case Unconfined -> new SecurityProfile.Unconfined();
            case Localhost -> new SecurityProfile.Localhost(message.getLocalhostRef());
            case UNRECOGNIZED -> throw new SandboxException.InvalidRequest("unknown security profile type");
        };
    }

    /// The form before profile types: `runtime/default`, `docker/default`, `unconfined`, `localhost/PATH` or nothing.
    static SecurityProfile profile(String path) {
        return switch (path) {
            case "" -> new SecurityProfile.Unset();
            case "unconfined" -> new SecurityProfile.Unconfined();
            case "runtime/default", "docker/default" -> new SecurityProfile.RuntimeDefault();
            default -> new SecurityProfile.Localhost(path);
        };
    }

    static SelinuxLabel selinux(SELinuxOption message) {
        return new SelinuxLabel(message.getUser(), message.getRole(), message.getType(), message.getLevel());
    }

    private static LinuxResources resources(LinuxContainerResources message) {
        return new LinuxResources(
                message.getCpuPeriod(),
                message.getCpuQuota(),
                message.getCpuShares(),
                message.getMemoryLimitInBytes(),
                message.getMemorySwapLimitInBytes(),
                message.getOomScoreAdj(),
                message.getCpusetCpus(),
                message.getCpusetMems(),
                message.getHugepageLimitsList().stream()
                        .map(it -> new LinuxResources.HugepageLimit(it.getPageSize(), it.getLimit()))
                        .toList(),
                message.getUnifiedMap());
    }

    static PodSandboxState state(SandboxState state) {
        return state == SandboxState.READY ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY;
    }

    /// What lists show of a sandbox.
    static PodSandbox item(Sandbox sandbox) {
        return PodSandbox.newBuilder()
                .setId(sandbox.id().value())
                .setMetadata(metadata(sandbox.config().metadata()))
                .setState(state(sandbox.state()))
                .setCreatedAt(Times.nanos(sandbox.created()))
                .putAllLabels(sandbox.config().labels())
                .putAllAnnotations(sandbox.config().annotations())
                .setRuntimeHandler(sandbox.handler())
                .build();
    }

    static PodSandboxStatus status(Sandbox sandbox) {
        SandboxNamespaces namespaces = sandbox.config().namespaces();
        return PodSandboxStatus.newBuilder()
                .setId(sandbox.id().value())
                .setMetadata(metadata(sandbox.config().metadata()))
                .setState(state(sandbox.state()))
                .setCreatedAt(Times.nanos(sandbox.created()))
                .setNetwork(network(sandbox))
                .setLinux(LinuxPodSandboxStatus.newBuilder()
                        .setNamespaces(Namespace.newBuilder().setOptions(message(namespaces))))
                .putAllLabels(sandbox.config().labels())
                .putAllAnnotations(sandbox.config().annotations())
                .setRuntimeHandler(sandbox.handler())
                .build();
    }

    private static PodSandboxNetworkStatus network(Sandbox sandbox) {
        List<String> ips = sandbox.state() == SandboxState.READY ? sandbox.ips() : List.of();
        if (ips.isEmpty()) {
            return PodSandboxNetworkStatus.getDefaultInstance();
        }
        return PodSandboxNetworkStatus.newBuilder()
                .setIp(ips.getFirst())
                .addAllAdditionalIps(ips.stream()
                        .skip(1)
                        .map(ip -> PodIP.newBuilder().setIp(ip).build())
                        .toList())
                .build();
    }

    static PodSandboxMetadata metadata(SandboxMetadata metadata) {
        return PodSandboxMetadata.newBuilder()
                .setName(metadata.name())
                .setNamespace(metadata.namespace())
                .setUid(metadata.uid())
                .setAttempt(metadata.attempt())
                .build();
    }

    private static dev.gantry.cri.runtime.v1.NamespaceMode message(NamespaceMode mode) {
        return switch (mode) {
            case POD -> dev.gantry.cri.runtime.v1.NamespaceMode.POD;
            case CONTAINER -> dev.gantry.cri.runtime.v1.NamespaceMode.CONTAINER;
            case NODE -> dev.gantry.cri.runtime.v1.NamespaceMode.NODE;
            case TARGET -> dev.gantry.cri.runtime.v1.NamespaceMode.TARGET;
        };
    }

    /// The request that a sandbox was made from.
    static PodSandboxConfig message(SandboxConfig config) {
        LinuxPodSandboxConfig.Builder linux = LinuxPodSandboxConfig.newBuilder()
                .setCgroupParent(config.cgroupParent())
                .putAllSysctls(config.sysctls())
                .setSecurityContext(message(config.security()));
        config.overhead().ifPresent(it -> linux.setOverhead(message(it)));
        config.resources().ifPresent(it -> linux.setResources(message(it)));
        return PodSandboxConfig.newBuilder()
                .setMetadata(metadata(config.metadata()))
                .setHostname(config.hostname())
                .setLogDirectory(config.logDirectory())
                .setDnsConfig(DNSConfig.newBuilder()
                        .addAllServers(config.dns().servers())
                        .addAllSearches(config.dns().searches())
                        .addAllOptions(config.dns().options()))
                .addAllPortMappings(
                        config.ports().stream().map(CriSandboxes::message).toList())
                .putAllLabels(config.labels())
                .putAllAnnotations(config.annotations())
                .setLinux(linux)
                .build();
    }

    private static PortMapping message(PodPort port) {
        return PortMapping.newBuilder()
                .setProtocol(Protocol.valueOf(port.protocol().toUpperCase(Locale.ROOT)))
                .setContainerPort(port.containerPort())
                .setHostPort(port.hostPort())
                .setHostIp(port.hostIp())
                .build();
    }

    private static LinuxSandboxSecurityContext message(SandboxSecurity security) {
        LinuxSandboxSecurityContext.Builder message = LinuxSandboxSecurityContext.newBuilder()
                .setNamespaceOptions(message(security.namespaces()))
                .setPrivileged(security.privileged())
                .addAllSupplementalGroups(security.supplementalGroups())
                .setSupplementalGroupsPolicy(
                        security.strictGroups() ? SupplementalGroupsPolicy.Strict : SupplementalGroupsPolicy.Merge)
                .setReadonlyRootfs(security.readonlyRoot());
        message(security.seccomp()).ifPresent(message::setSeccomp);
        message(security.apparmor()).ifPresent(message::setApparmor);
        security.user()
                .ifPresent(it -> message.setRunAsUser(Int64Value.newBuilder().setValue(it)));
        security.group()
                .ifPresent(it -> message.setRunAsGroup(Int64Value.newBuilder().setValue(it)));
        if (!security.selinux().isEmpty()) {
            message.setSelinuxOptions(SELinuxOption.newBuilder()
                    .setUser(security.selinux().user())
                    .setRole(security.selinux().role())
                    .setType(security.selinux().type())
                    .setLevel(security.selinux().level()));
        }
        return message.build();
    }

    private static NamespaceOption message(SandboxNamespaces namespaces) {
        NamespaceOption.Builder message = NamespaceOption.newBuilder()
                .setNetwork(message(namespaces.network()))
                .setPid(message(namespaces.pid()))
                .setIpc(message(namespaces.ipc()));
        namespaces
                .users()
                .ifPresent(it -> message.setUsernsOptions(UserNamespace.newBuilder()
                        .setMode(dev.gantry.cri.runtime.v1.NamespaceMode.POD)
                        .addUids(message(it.users()))
                        .addGids(message(it.groups()))));
        return message.build();
    }

    private static Optional<dev.gantry.cri.runtime.v1.SecurityProfile> message(SecurityProfile profile) {
        var message = dev.gantry.cri.runtime.v1.SecurityProfile.newBuilder();
        return switch (profile) {
            case SecurityProfile.Unset _ -> Optional.empty();
            case SecurityProfile.RuntimeDefault _ ->
                Optional.of(message.setProfileType(ProfileType.RuntimeDefault).build());
            case SecurityProfile.Unconfined _ ->
                Optional.of(message.setProfileType(ProfileType.Unconfined).build());
            case SecurityProfile.Localhost(String reference) ->
                Optional.of(message.setProfileType(ProfileType.Localhost)
                        .setLocalhostRef(reference)
                        .build());
        };
    }

    static LinuxContainerResources message(LinuxResources resources) {
        return LinuxContainerResources.newBuilder()
                .setCpuPeriod(resources.cpuPeriod())
                .setCpuQuota(resources.cpuQuota())
                .setCpuShares(resources.cpuShares())
                .setMemoryLimitInBytes(resources.memoryLimit())
                .setMemorySwapLimitInBytes(resources.memorySwapLimit())
                .setOomScoreAdj(resources.oomScoreAdjust())
                .setCpusetCpus(resources.cpusetCpus())
                .setCpusetMems(resources.cpusetMems())
                .addAllHugepageLimits(resources.hugepages().stream()
                        .map(it -> HugepageLimit.newBuilder()
                                .setPageSize(it.pageSize())
                                .setLimit(it.limit())
                                .build())
                        .toList())
                .putAllUnified(resources.unified())
                .build();
    }
}
