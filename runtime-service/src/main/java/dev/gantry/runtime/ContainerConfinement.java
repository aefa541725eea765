package dev.gantry.runtime;

import dev.gantry.cri.oci.Seccomp;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.sandbox.SecurityProfile;
import dev.gantry.sandbox.SelinuxLabel;
import dev.gantry.sandbox.SpecParts;
import java.util.Collection;
import java.util.Optional;

/// What the security modules of the kernel are told about a container: seccomp, AppArmor, SELinux.
final class ContainerConfinement {

    private final SpecParts parts;

    ContainerConfinement(SpecParts parts) {
        this.parts = parts;
    }

    /// @param bounding the capabilities that the container may ever have
    @SuppressWarnings("deprecation") // old clients still say the profile by path
    Optional<Seccomp> seccomp(LinuxContainerSecurityContext security, Collection<String> bounding) {
        if (security.getPrivileged()) {
            return Optional.empty();
        }
        SecurityProfile profile = security.hasSeccomp()
                ? CriSandboxes.profile(security.getSeccomp())
                : CriSandboxes.profile(security.getSeccompProfilePath());
        return parts.seccomp(profile, bounding);
    }

    /// The profile's name, or empty for none.
    @SuppressWarnings("deprecation") // as above
    String apparmor(LinuxContainerSecurityContext security) {
        SecurityProfile profile = security.hasApparmor()
                ? CriSandboxes.profile(security.getApparmor())
                : CriSandboxes.profile(security.getApparmorProfile());
        return parts.apparmor().profile(profile, security.getPrivileged());
    }

    /// The SELinux label of the container's process; empty for that of whoever starts it.
    ///
    /// @param pod the pod's label
    String processLabel(LinuxContainerSecurityContext security, SelinuxLabel pod) {
        return parts.selinux()
                .process(CriSandboxes.selinux(security.getSelinuxOptions()), pod, security.getPrivileged());
    }

    /// The label of its files; empty for what they have on the disk.
    String mountLabel(LinuxContainerSecurityContext security, SelinuxLabel pod) {
        return parts.selinux().files(CriSandboxes.selinux(security.getSelinuxOptions()), pod);
    }
}
