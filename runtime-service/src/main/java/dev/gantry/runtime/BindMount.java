package dev.gantry.runtime;

import dev.gantry.cri.oci.IdMapping;
import dev.gantry.cri.oci.Spec;
import dev.gantry.cri.runtime.v1.IDMapping;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.sandbox.SpecParts;
import dev.gantry.sandbox.UserIds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a request wants of a mount, as options of the runtime specification and as far as the pod's OCI runtime can do
/// it: what it cannot is refused, and never left out.
record BindMount(
        ContainerPath destination, List<String> options, List<IdMapping> uidMappings, List<IdMapping> gidMappings) {

    /// What a request may add; each only takes rights away (KEP-5855).
    private static final List<String> ADDABLE = List.of("noexec", "nodev", "nosuid");

    BindMount {
        options = List.copyOf(options);
        uidMappings = List.copyOf(uidMappings);
        gidMappings = List.copyOf(gidMappings);
    }

    static BindMount of(Mount mount, ContainerPath destination, String propagation, MountSupport support) {
        List<String> options = new ArrayList<>(List.of("rbind", propagation));
        options.add(readonly(mount, destination, propagation, support));
        options.addAll(added(mount, destination));
        return new BindMount(
                destination,
                options,
                mappings(mount, destination, support, mount.getUidMappingsList()),
                mappings(mount, destination, support, mount.getGidMappingsList()));
    }

    /// @param source on the host, with links resolved
    Spec.Mount from(Path source) {
        return new Spec.Mount(destination.value(), "bind", source.toString(), options, uidMappings, gidMappings);
    }

    /// A mount of ours whose files belong to the root of the image, and in the pod to the pod's own root.
    static Spec.Mount shifted(Spec.Mount mount, Optional<UserIds> users) {
        return users.map(it -> new Spec.Mount(
                        mount.destination(),
                        mount.type(),
                        mount.source(),
                        mount.options(),
                        List.of(SpecParts.mapping(it.users())),
                        List.of(SpecParts.mapping(it.groups()))))
                .orElse(mount);
    }

    private static String readonly(Mount mount, ContainerPath destination, String propagation, MountSupport support) {
        if (!mount.getRecursiveReadOnly()) {
            return mount.getReadonly() ? "ro" : "rw";
        }
        refuse(!mount.getReadonly(), destination, "is to be recursively read-only, but not read-only");
        refuse(
                !propagation.equals("rprivate"),
                destination,
                "is to be recursively read-only and to propagate, which exclude each other");
        if (!support.recursiveReadOnly()) {
            // The kubelet looks for this word.
            throw new ContainerException.InvalidRequest(
                    "RROUnsupported: mount %s is to be recursively read-only, which the pod's OCI runtime cannot do (runc can from 1.1 on)"
                            .formatted(destination));
        }
        return "rro";
    }

    /// The options that the request adds.
    static List<String> added(Mount mount, ContainerPath destination) {
        List<String> wanted = mount.getMountOptionsList().stream().distinct().toList();
        for (String option : wanted) {
            refuse(
                    !ADDABLE.contains(option),
                    destination,
                    "has mount option \"%s\", but may only have some of %s".formatted(option, ADDABLE));
        }
        return wanted;
    }

    private static List<IdMapping> mappings(
            Mount mount, ContainerPath destination, MountSupport support, List<IDMapping> mappings) {
        refuse(
                (mount.getUidMappingsCount() == 0) != (mount.getGidMappingsCount() == 0),
                destination,
                "has id mappings for users or for groups only, but needs both");
        refuse(
                !mappings.isEmpty() && !support.idMapped(),
                destination,
                "has id mappings, which the pod's OCI runtime cannot do (runc can from 1.2 on)");
        return mappings.stream().map(it -> mapping(it, destination)).toList();
    }

    private static IdMapping mapping(IDMapping message, ContainerPath destination) {
        try {
            return SpecParts.mapping(CriSandboxes.mapping(message));
        } catch (IllegalArgumentException e) {
            throw new ContainerException.InvalidRequest("mount %s: %s".formatted(destination, e.getMessage()));
        }
    }

    private static void refuse(boolean condition, ContainerPath destination, String why) {
        if (condition) {
            throw new ContainerException.InvalidRequest("mount %s %s".formatted(destination, why));
        }
    }
}
