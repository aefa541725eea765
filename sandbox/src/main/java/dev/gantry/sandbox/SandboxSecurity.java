package dev.gantry.sandbox;

import java.util.List;
import java.util.OptionalLong;

/// What a pod's request says about the rights of its sandbox (CRI `LinuxSandboxSecurityContext`).
public record SandboxSecurity(
        SandboxNamespaces namespaces,
        boolean privileged,
        OptionalLong user,
        OptionalLong group,
        List<Long> supplementalGroups,
        boolean strictGroups,
        boolean readonlyRoot,
        SecurityProfile seccomp,
        SecurityProfile apparmor,
        SelinuxLabel selinux) {

    public static final SandboxSecurity DEFAULT = new SandboxSecurity(
            SandboxNamespaces.OWN,
            false,
            OptionalLong.empty(),
            OptionalLong.empty(),
            List.of(),
            false,
            false,
            new SecurityProfile.Unset(),
            new SecurityProfile.Unset(),
            SelinuxLabel.NONE);

    public SandboxSecurity {
        supplementalGroups = List.copyOf(supplementalGroups);
        user.ifPresent(id -> checkId("user", id));
        group.ifPresent(id -> checkId("group", id));
        supplementalGroups.forEach(id -> checkId("supplemental group", id));
        if (group.isPresent() && user.isEmpty()) {
            throw new SandboxException.InvalidRequest("a pod with run_as_group needs run_as_user too");
        }
    }

    /// Ids over 2³¹−1 have been taken for root by runtimes before (CVE-2024-40635).
    private static void checkId(String what, long id) {
        if (id < 0 || id > Integer.MAX_VALUE) {
            throw new SandboxException.InvalidRequest(
                    "%s id %d is not between 0 and %d".formatted(what, id, Integer.MAX_VALUE));
        }
    }
}
