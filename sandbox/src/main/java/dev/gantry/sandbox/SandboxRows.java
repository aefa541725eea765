package dev.gantry.sandbox;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.linux.IdMapping;
import dev.gantry.sandbox.stored.Hugepages;
import dev.gantry.sandbox.stored.IdRange;
import dev.gantry.sandbox.stored.Port;
import dev.gantry.sandbox.stored.Profile;
import dev.gantry.sandbox.stored.Resources;
import dev.gantry.sandbox.stored.SandboxRow;
import dev.gantry.sandbox.stored.Security;
import dev.gantry.sandbox.stored.Selinux;
import dev.gantry.storage.Codec;
import dev.gantry.storage.Index;
import dev.gantry.storage.Kind;
import dev.gantry.storage.Times;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Sandboxes as rows of the store.
final class SandboxRows implements Codec<Sandbox> {

    static final String BY_NAME = "name";

    static final Kind<Sandbox> KIND = new Kind<>(
            "sandboxes",
            sandbox -> sandbox.id().value(),
            new SandboxRows(),
            List.of(new Index<>(BY_NAME, SandboxRows::names)));

    private static final int VERSION = 1;

    /// A sandbox that is being removed gives its name to the next.
    private static List<String> names(Sandbox sandbox) {
        return sandbox.state() == SandboxState.REMOVING
                ? List.of()
                : List.of(sandbox.config().metadata().reservedName());
    }

    @Override
    public byte[] encode(Sandbox sandbox) {
        SandboxConfig config = sandbox.config();
        SandboxMetadata metadata = config.metadata();
        SandboxRow.Builder row = SandboxRow.newBuilder()
                .setVersion(VERSION)
                .setId(sandbox.id().value())
                .setName(metadata.name())
                .setNamespace(metadata.namespace())
                .setUid(metadata.uid())
                .setAttempt(metadata.attempt())
                .setHostname(config.hostname())
                .setLogDirectory(config.logDirectory())
                .addAllDnsServers(config.dns().servers())
                .addAllDnsSearches(config.dns().searches())
                .addAllDnsOptions(config.dns().options())
                .addAllPorts(config.ports().stream().map(SandboxRows::encode).toList())
                .putAllLabels(config.labels())
                .putAllAnnotations(config.annotations())
                .setRequestedCgroupParent(config.cgroupParent())
                .putAllSysctls(config.sysctls())
                .setSecurity(encode(config.security()))
                .setHandler(sandbox.handler())
                .setState(encode(sandbox.state()))
                .setCreatedNanos(Times.nanos(sandbox.created()))
                .setCgroupParent(sandbox.cgroupParent())
                .setOwnsCgroup(sandbox.ownsCgroup())
                .setBootId(sandbox.bootId())
                .setPid(sandbox.pid())
                .addAllIps(sandbox.ips())
                .setSnapshotter(sandbox.snapshotter())
                .setPauseImage(sandbox.pauseImage());
        if (!sandbox.label().isEmpty()) {
            row.setLabel(encode(sandbox.label()));
        }
        config.overhead().ifPresent(it -> row.setOverhead(encode(it)));
        config.resources().ifPresent(it -> row.setResources(encode(it)));
        return row.build().toByteArray();
    }

    @Override
    public Sandbox decode(byte[] bytes) {
        SandboxRow row = parse(bytes);
        if (row.getVersion() != VERSION) {
            throw new IllegalStateException(
                    "pod sandbox %s was written by another version of Gantry (row version %d, known %d)"
                            .formatted(row.getId(), row.getVersion(), VERSION));
        }
        return new Sandbox(
                new SandboxId(row.getId()),
                config(row),
                row.getHandler(),
                decode(row.getState()),
                Times.instant(row.getCreatedNanos()),
                row.getCgroupParent(),
                row.getOwnsCgroup(),
                row.getBootId(),
                row.getPid(),
                row.getIpsList(),
                row.getSnapshotter(),
                row.getPauseImage(),
                decode(row.getLabel()));
    }

    private static SandboxRow parse(byte[] bytes) {
        try {
            return SandboxRow.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a pod sandbox row is not readable", e);
        }
    }

    private static SandboxConfig config(SandboxRow row) {
        return new SandboxConfig(
                new SandboxMetadata(row.getName(), row.getNamespace(), row.getUid(), row.getAttempt()),
                row.getHostname(),
                row.getLogDirectory(),
                new DnsConfig(row.getDnsServersList(), row.getDnsSearchesList(), row.getDnsOptionsList()),
                row.getPortsList().stream().map(SandboxRows::decode).toList(),
                row.getLabelsMap(),
                row.getAnnotationsMap(),
                row.getRequestedCgroupParent(),
                row.getSysctlsMap(),
                decode(row.getSecurity()),
                row.hasOverhead() ? Optional.of(decode(row.getOverhead())) : Optional.empty(),
                row.hasResources() ? Optional.of(decode(row.getResources())) : Optional.empty());
    }

    private static Port encode(PodPort port) {
        return Port.newBuilder()
                .setProtocol(port.protocol())
                .setContainerPort(port.containerPort())
                .setHostPort(port.hostPort())
                .setHostIp(port.hostIp())
                .build();
    }

    private static PodPort decode(Port port) {
        return new PodPort(port.getProtocol(), port.getContainerPort(), port.getHostPort(), port.getHostIp());
    }

    private static Security encode(SandboxSecurity security) {
        Security.Builder row = Security.newBuilder()
                .setNetwork(security.namespaces().network().number())
                .setPid(security.namespaces().pid().number())
                .setIpc(security.namespaces().ipc().number())
                .setPrivileged(security.privileged())
                .addAllSupplementalGroups(security.supplementalGroups())
                .setStrictGroups(security.strictGroups())
                .setReadonlyRoot(security.readonlyRoot())
                .setSelinux(encode(security.selinux()));
        encode(security.seccomp()).ifPresent(row::setSeccomp);
        encode(security.apparmor()).ifPresent(row::setApparmor);
        security.user().ifPresent(row::setUser);
        security.group().ifPresent(row::setGroup);
        security.namespaces()
                .users()
                .ifPresent(it -> row.setUsers(encode(it.users())).setGroups(encode(it.groups())));
        return row.build();
    }

    private static SandboxSecurity decode(Security row) {
        return new SandboxSecurity(
                new SandboxNamespaces(
                        mode(row.getNetwork()),
                        mode(row.getPid()),
                        mode(row.getIpc()),
                        row.hasUsers()
                                ? Optional.of(new UserIds(decode(row.getUsers()), decode(row.getGroups())))
                                : Optional.empty()),
                row.getPrivileged(),
                row.hasUser() ? OptionalLong.of(row.getUser()) : OptionalLong.empty(),
                row.hasGroup() ? OptionalLong.of(row.getGroup()) : OptionalLong.empty(),
                row.getSupplementalGroupsList(),
                row.getStrictGroups(),
                row.getReadonlyRoot(),
                row.hasSeccomp() ? decode(row.getSeccomp()) : new SecurityProfile.Unset(),
                row.hasApparmor() ? decode(row.getApparmor()) : new SecurityProfile.Unset(),
                decode(row.getSelinux()));
    }

    private static Selinux encode(SelinuxLabel label) {
        return Selinux.newBuilder()
                .setUser(label.user())
                .setRole(label.role())
                .setType(label.type())
                .setLevel(label.level())
                .build();
    }

    private static SelinuxLabel decode(Selinux row) {
        return new SelinuxLabel(row.getUser(), row.getRole(), row.getType(), row.getLevel());
    }

    private static IdRange encode(IdMapping mapping) {
        return IdRange.newBuilder()
                .setHost((int) mapping.host())
                .setSize((int) mapping.size())
                .build();
    }

    private static IdMapping decode(IdRange row) {
        return new IdMapping(0, Integer.toUnsignedLong(row.getHost()), Integer.toUnsignedLong(row.getSize()));
    }

    private static NamespaceMode mode(int number) {
        return NamespaceMode.of(number);
    }

    private static Optional<Profile> encode(SecurityProfile profile) {
        return switch (profile) {
            case SecurityProfile.Unset _ -> Optional.empty();
            case SecurityProfile.Unconfined _ -> Optional.of(Profile.getDefaultInstance());
            case SecurityProfile.RuntimeDefault _ ->
                Optional.of(Profile.newBuilder()
                        .setType(Profile.Type.RUNTIME_DEFAULT)
                        .build());
            case SecurityProfile.Localhost(String reference) ->
                Optional.of(Profile.newBuilder()
                        .setType(Profile.Type.LOCALHOST)
                        .setLocalhostReference(reference)
                        .build());
        };
    }

    private static SecurityProfile decode(Profile row) {
        return switch (row.getType()) {
            case UNCONFINED -> new SecurityProfile.Unconfined();
            case RUNTIME_DEFAULT -> new SecurityProfile.RuntimeDefault();
            case LOCALHOST -> new SecurityProfile.Localhost(row.getLocalhostReference());
            case UNRECOGNIZED ->
                throw new IllegalStateException("unknown security profile type in a stored pod sandbox");
        };
    }

    private static Resources encode(LinuxResources resources) {
        return Resources.newBuilder()
                .setCpuPeriod(resources.cpuPeriod())
                .setCpuQuota(resources.cpuQuota())
                .setCpuShares(resources.cpuShares())
                .setMemoryLimit(resources.memoryLimit())
                .setMemorySwapLimit(resources.memorySwapLimit())
                .setOomScoreAdjust(resources.oomScoreAdjust())
                .setCpusetCpus(resources.cpusetCpus())
                .setCpusetMems(resources.cpusetMems())
                .addAllHugepages(resources.hugepages().stream()
                        .map(it -> Hugepages.newBuilder()
                                .setPageSize(it.pageSize())
                                .setLimit(it.limit())
                                .build())
                        .toList())
                .putAllUnified(resources.unified())
                .build();
    }

    private static LinuxResources decode(Resources row) {
        return new LinuxResources(
                row.getCpuPeriod(),
                row.getCpuQuota(),
                row.getCpuShares(),
                row.getMemoryLimit(),
                row.getMemorySwapLimit(),
                row.getOomScoreAdjust(),
                row.getCpusetCpus(),
                row.getCpusetMems(),
                row.getHugepagesList().stream()
                        .map(it -> new LinuxResources.HugepageLimit(it.getPageSize(), it.getLimit()))
                        .toList(),
                row.getUnifiedMap());
    }

    private static SandboxRow.State encode(SandboxState state) {
        return switch (state) {
            case CREATING -> SandboxRow.State.CREATING;
            case READY -> SandboxRow.State.READY;
            case STOPPING -> SandboxRow.State.STOPPING;
            case STOPPED -> SandboxRow.State.STOPPED;
            case REMOVING -> SandboxRow.State.REMOVING;
        };
    }

    private static SandboxState decode(SandboxRow.State state) {
        return switch (state) {
            case CREATING -> SandboxState.CREATING;
            case READY -> SandboxState.READY;
            case STOPPING -> SandboxState.STOPPING;
            case STOPPED -> SandboxState.STOPPED;
            case REMOVING -> SandboxState.REMOVING;
            case UNKNOWN, UNRECOGNIZED -> throw new IllegalStateException("unknown state in a stored pod sandbox");
        };
    }
}
