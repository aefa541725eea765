package dev.gantry.sandbox;

import dev.gantry.cri.oci.ImageConfig;
import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.oci.Spec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The OCI spec of a pause container: it holds the pod's namespaces open and needs no right to anything.
public final class SandboxSpec {

    /// As little CPU weight as the kernel knows: the pause process only sleeps.
    private static final long PAUSE_SHARES = 2;
    private static final long PAUSE_OOM_SCORE = -998;
    /// The kernel takes no other group than those that are mapped, and none above this.
    private static final long LAST_GROUP = Integer.MAX_VALUE;

    private final SpecParts parts;
    private final PodCgroups cgroups;
    private final SandboxPlaces places;
    private final boolean unprivilegedPorts;
    private final boolean unprivilegedIcmp;

    /// @param unprivilegedPorts lets every user of a pod bind ports below 1024
    /// @param unprivilegedIcmp  lets every user of a pod send pings
    public SandboxSpec(
            SpecParts parts,
            PodCgroups cgroups,
            SandboxPlaces places,
            boolean unprivilegedPorts,
            boolean unprivilegedIcmp) {
        this.parts = parts;
        this.cgroups = cgroups;
        this.places = places;
        this.unprivilegedPorts = unprivilegedPorts;
        this.unprivilegedIcmp = unprivilegedIcmp;
    }

    /// @throws SandboxException when no spec can be made of the request, whatever the sandbox
    void check(SandboxConfig config) {
        var _ = apparmor(config.security());
        selinux().check(config.security().selinux());
    }

    Selinux selinux() {
        return parts.selinux();
    }

    private String apparmor(SandboxSecurity security) {
        return parts.apparmor().profile(security.apparmor(), security.privileged());
    }

    byte[] encode(Sandbox sandbox, RuntimeHandler handler, ImageConfig image) {
        SandboxConfig config = sandbox.config();
        SandboxSecurity security = config.security();
        Linux.Builder linux = Linux.builder()
                .cgroupsPath(cgroups.pathOf(sandbox.cgroupParent(), sandbox.id().value()))
                .namespaces(namespaces(sandbox))
                .sysctl(sysctls(config))
                .maskedPaths(SpecParts.MASKED_PATHS)
                .readonlyPaths(SpecParts.READONLY_PATHS)
                .resources(Resources.builder()
                        .cpu(Resources.Cpu.builder().shares(PAUSE_SHARES).build())
                        .devices(List.of(Resources.DeviceRule.DENY_ALL))
                        .build());
        config.namespaces().users().ifPresent(it -> SpecParts.addUsers(linux, it));
        linux.mountLabel(selinux().files(sandbox.label()));
        parts.pauseSeccomp(security.seccomp()).ifPresent(linux::seccomp);
        Spec.Builder spec = Spec.builder()
                .process(process(sandbox, image))
                .root("rootfs", true)
                .mounts(mounts(sandbox))
                .annotations(annotations(sandbox, handler))
                .linux(linux.build());
        if (!config.namespaces().hostNetwork()) {
            spec.hostname(hostName(config));
        }
        return spec.build().toJson();
    }

    /// The name that the pod's containers see: the host's where they share its network.
    public static String hostName(SandboxConfig config) {
        if (!config.hostname().isEmpty() && !config.namespaces().hostNetwork()) {
            return config.hostname();
        }
        return SpecParts.readProc("/proc/sys/kernel/hostname");
    }

    private OciProcess process(Sandbox sandbox, ImageConfig image) {
        SandboxSecurity security = sandbox.config().security();
        List<String> args = new ArrayList<>(image.config().entrypoint());
        args.addAll(image.config().cmd());
        return OciProcess.builder()
                .args(args)
                .cwd("/")
                .env(List.of("PATH=" + SpecParts.DEFAULT_PATH))
                .user(new OciProcess.User(
                        security.user().orElse(0), security.group().orElse(0), null, security.supplementalGroups()))
                .capabilities(SpecParts.capabilities(List.of(), List.of()))
                .noNewPrivileges(true)
                .apparmorProfile(apparmor(security))
                .selinuxLabel(sandbox.label().toString())
                .oomScoreAdj(parts.oomScoreAdjust(PAUSE_OOM_SCORE))
                .build();
    }

    private List<Linux.Namespace> namespaces(Sandbox sandbox) {
        SandboxNamespaces of = sandbox.config().namespaces();
        List<Linux.Namespace> namespaces = new ArrayList<>();
        namespaces.add(new Linux.Namespace("mount"));
        if (of.users().isPresent()) {
            Path pin = places.files(sandbox.id()).userNamespace();
            namespaces.add(new Linux.Namespace("user", pin.toString()));
        }
        if (!of.hostPid()) {
            namespaces.add(new Linux.Namespace("pid"));
        }
        if (!of.hostIpc()) {
            namespaces.add(new Linux.Namespace("ipc"));
        }
        if (!of.hostNetwork()) {
            namespaces.add(new Linux.Namespace("uts"));
            Path pin = places.networkNamespace(sandbox.id());
            namespaces.add(new Linux.Namespace("network", pin.toString()));
        }
        return namespaces;
    }

    private List<Spec.Mount> mounts(Sandbox sandbox) {
        PodFiles files = places.files(sandbox.id());
        List<Spec.Mount> mounts =
                new ArrayList<>(SpecParts.standardMounts(sandbox.config().namespaces()));
        mounts.add(new Spec.Mount(
                "/dev/shm",
                "bind",
                files.shm(sandbox.config().namespaces()).toString(),
                List.of("rbind", "ro", "nosuid", "nodev", "noexec")));
        mounts.add(new Spec.Mount(
                "/etc/resolv.conf",
                "bind",
                files.resolvConf().toString(),
                List.of("rbind", "ro", "nosuid", "nodev", "noexec")));
        return mounts;
    }

    private Map<String, String> sysctls(SandboxConfig config) {
        Map<String, String> sysctls = new LinkedHashMap<>();
        if (!config.namespaces().hostNetwork()) {
            if (unprivilegedPorts) {
                sysctls.put("net.ipv4.ip_unprivileged_port_start", "0");
            }
            if (unprivilegedIcmp) {
                long last = config.namespaces()
                        .users()
                        .map(it -> it.groups().size() - 1)
                        .orElse(LAST_GROUP);
                sysctls.put("net.ipv4.ping_group_range", "0 " + Math.min(last, LAST_GROUP));
            }
        }
        sysctls.putAll(config.sysctls());
        return sysctls;
    }

    /// The names that shims, NRI plugins and monitoring know pods by.
    private static Map<String, String> annotations(Sandbox sandbox, RuntimeHandler handler) {
        SandboxConfig config = sandbox.config();
        Map<String, String> annotations =
                new LinkedHashMap<>(AllowedAnnotations.of(config.annotations(), handler.podAnnotations()));
        annotations.putAll(podAnnotations(sandbox));
        annotations.put("io.kubernetes.cri.container-type", "sandbox");
        annotations.put("io.kubernetes.cri.sandbox-log-directory", config.logDirectory());
        return annotations;
    }

    /// Those of them that every container of the pod carries.
    public static Map<String, String> podAnnotations(Sandbox sandbox) {
        SandboxMetadata metadata = sandbox.config().metadata();
        return Map.of(
                "io.kubernetes.cri.sandbox-id", sandbox.id().value(),
                "io.kubernetes.cri.sandbox-name", metadata.name(),
                "io.kubernetes.cri.sandbox-namespace", metadata.namespace(),
                "io.kubernetes.cri.sandbox-uid", metadata.uid());
    }
}
