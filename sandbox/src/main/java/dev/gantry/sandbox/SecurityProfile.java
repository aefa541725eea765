package dev.gantry.sandbox;

/// A seccomp or AppArmor profile as a pod or container asks for it (CRI `SecurityProfile`).
public sealed interface SecurityProfile {

    /// The request names none: no seccomp filter, but the default AppArmor profile.
    record Unset() implements SecurityProfile {}

    /// The runtime's own default.
    record RuntimeDefault() implements SecurityProfile {}

    /// No profile at all.
    record Unconfined() implements SecurityProfile {}

    /// A file of the node (seccomp) or a profile loaded into its kernel (AppArmor).
    record Localhost(String reference) implements SecurityProfile {

        public Localhost {
            if (reference.isEmpty()) {
                throw new SandboxException.InvalidRequest("a localhost security profile needs a reference");
            }
        }
    }
}
