package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.Capability;
import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.Int64Value;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.LinuxSandboxSecurityContext;
import dev.gantry.cri.runtime.v1.NamespaceMode;
import dev.gantry.cri.runtime.v1.NamespaceOption;
import dev.gantry.cri.runtime.v1.SecurityProfile;
import dev.gantry.cri.runtime.v1.SupplementalGroupsPolicy;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.SeccompProfile;
import io.fabric8.kubernetes.api.model.SecurityContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The rights of a pod and of its containers, as the kubelet fills them in, with one difference: a
/// pod that names no seccomp profile gets the runtime's default, as with the kubelet's
/// `seccompDefault: true`.
final class ContainerSecurity {

    private static final List<String> MASKED = List.of(
            "/proc/asound",
            "/proc/acpi",
            "/proc/interrupts",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/sys/firmware",
            "/sys/devices/virtual/powercap");

    private static final List<String> READ_ONLY =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

    private final PodSpec spec;
    private final PodSecurityContext pod;

    ContainerSecurity(PodSpec spec) {
        this.spec = spec;
        this.pod = spec.getSecurityContext() == null ? new PodSecurityContext() : spec.getSecurityContext();
    }

    NamespaceOption namespaces() {
        NamespaceMode pid = yes(spec.getShareProcessNamespace()) ? NamespaceMode.POD : NamespaceMode.CONTAINER;
        return NamespaceOption.newBuilder()
                .setNetwork(yes(spec.getHostNetwork()) ? NamespaceMode.NODE : NamespaceMode.POD)
                .setPid(yes(spec.getHostPID()) ? NamespaceMode.NODE : pid)
                .setIpc(yes(spec.getHostIPC()) ? NamespaceMode.NODE : NamespaceMode.POD)
                .build();
    }

    LinuxSandboxSecurityContext sandbox(boolean anyPrivileged) {
        var linux = LinuxSandboxSecurityContext.newBuilder()
                .setNamespaceOptions(namespaces())
                .setPrivileged(anyPrivileged)
                .setSeccomp(seccomp(pod.getSeccompProfile()))
                .addAllSupplementalGroups(groups())
                .setSupplementalGroupsPolicy(groupsPolicy());
        if (pod.getRunAsUser() != null) {
            linux.setRunAsUser(number(pod.getRunAsUser()));
            if (pod.getRunAsGroup() != null) {
                linux.setRunAsGroup(number(pod.getRunAsGroup()));
            }
        }
        return linux.build();
    }

    static boolean privileged(Container container) {
        return container.getSecurityContext() != null
                && yes(container.getSecurityContext().getPrivileged());
    }

    /// What the container asks for, then what the pod does, then what the image says.
    LinuxContainerSecurityContext container(Container container, Image image) {
        SecurityContext own =
                container.getSecurityContext() == null ? new SecurityContext() : container.getSecurityContext();
        boolean privileged = yes(own.getPrivileged());
        var linux = LinuxContainerSecurityContext.newBuilder()
                .setNamespaceOptions(namespaces())
                .setPrivileged(privileged)
                .setReadonlyRootfs(yes(own.getReadOnlyRootFilesystem()))
                .setNoNewPrivs(Boolean.FALSE.equals(own.getAllowPrivilegeEscalation()))
                .addAllSupplementalGroups(groups())
                .setSupplementalGroupsPolicy(groupsPolicy())
                .setSeccomp(
                        privileged ? unconfined() : seccomp(first(own.getSeccompProfile(), pod.getSeccompProfile())));
        if (own.getCapabilities() != null) {
            linux.setCapabilities(Capability.newBuilder()
                    .addAllAddCapabilities(own.getCapabilities().getAdd())
                    .addAllDropCapabilities(own.getCapabilities().getDrop()));
        }
        if (!privileged && !"Unmasked".equals(own.getProcMount())) {
            linux.addAllMaskedPaths(MASKED).addAllReadonlyPaths(READ_ONLY);
        }
        user(container, own, image, linux);
        return linux.build();
    }

    private void user(
            Container container, SecurityContext own, Image image, LinuxContainerSecurityContext.Builder linux) {
        Long user = first(own.getRunAsUser(), pod.getRunAsUser());
        Long group = first(own.getRunAsGroup(), pod.getRunAsGroup());
        if (yes(first(own.getRunAsNonRoot(), pod.getRunAsNonRoot()))) {
            refuseRoot(container, user, image);
        }
        if (user != null) {
            linux.setRunAsUser(number(user));
        } else if (image.hasUid()) {
            linux.setRunAsUser(image.getUid());
        } else if (!image.getUsername().isEmpty()) {
            linux.setRunAsUsername(image.getUsername());
        } else if (group != null) {
            linux.setRunAsUser(number(0)); // a group alone is refused by CRI
        }
        if (group != null) {
            linux.setRunAsGroup(number(group));
        }
    }

    private static void refuseRoot(Container container, @Nullable Long user, Image image) {
        if (user == null && !image.hasUid() && !image.getUsername().isEmpty()) {
            throw new CliException.Failed(
                    "container %s must not run as root, and whether user %s of its image is root cannot be told: set runAsUser"
                            .formatted(container.getName(), image.getUsername()));
        }
        long effective = user == null ? image.getUid().getValue() : user;
        if (effective == 0) {
            throw new CliException.Failed("container %s must not run as root, but its %s"
                    .formatted(container.getName(), user == null ? "image does" : "runAsUser is 0"));
        }
    }

    private List<Long> groups() {
        return pod.getSupplementalGroups() == null ? List.of() : pod.getSupplementalGroups();
    }

    private SupplementalGroupsPolicy groupsPolicy() {
        return "Strict".equals(pod.getSupplementalGroupsPolicy())
                ? SupplementalGroupsPolicy.Strict
                : SupplementalGroupsPolicy.Merge;
    }

    private static SecurityProfile seccomp(@Nullable SeccompProfile profile) {
        String type = profile == null || profile.getType() == null ? "RuntimeDefault" : profile.getType();
        return switch (type) {
            case "Unconfined" -> unconfined();
            case "Localhost" ->
                SecurityProfile.newBuilder()
                        .setProfileType(SecurityProfile.ProfileType.Localhost)
                        .setLocalhostRef(profile == null ? "" : profile.getLocalhostProfile())
                        .build();
            default ->
                SecurityProfile.newBuilder()
                        .setProfileType(SecurityProfile.ProfileType.RuntimeDefault)
                        .build();
        };
    }

    private static SecurityProfile unconfined() {
        return SecurityProfile.newBuilder()
                .setProfileType(SecurityProfile.ProfileType.Unconfined)
                .build();
    }

    private static <T> @Nullable T first(@Nullable T one, @Nullable T other) {
        return one == null ? other : one;
    }

    private static boolean yes(@Nullable Boolean value) {
        return Boolean.TRUE.equals(value);
    }

    private static Int64Value number(long value) {
        return Int64Value.newBuilder().setValue(value).build();
    }
}
