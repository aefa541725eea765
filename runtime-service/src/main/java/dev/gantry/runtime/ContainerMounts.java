package dev.gantry.runtime;

import dev.gantry.cri.oci.Spec;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.linux.MountInfo;
import dev.gantry.sandbox.PodFiles;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxNamespaces;
import dev.gantry.sandbox.SelinuxRelabel;
import dev.gantry.sandbox.SpecParts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// The mounts of a container in the order in which they are made: the shallow ones first, as a later one may lie on an
/// earlier one.
///
/// Where the request mounts on a path, its mount stands in for the one that we would have made there.
final class ContainerMounts {

    private static final List<String> TREES = List.of("/dev", "/proc", "/sys");

    private final Supplier<List<MountInfo>> hostMounts;
    private final Function<Sandbox, MountSupport> support;

    /// @param hostMounts reads the mount table of the host
    /// @param support    says what the OCI runtime of a pod can do
    ContainerMounts(Supplier<List<MountInfo>> hostMounts, Function<Sandbox, MountSupport> support) {
        this.hostMounts = hostMounts;
        this.support = support;
    }

    /// @param rootPropagation what the root of the container must be for its mounts to propagate; empty for private
    record Plan(List<Spec.Mount> mounts, String rootPropagation) {}

    /// Makes host paths that are missing.
    ///
    /// @param volumes the image's own, which come with the container
    /// @param images  what to show for the mounts that name an image
    /// @param label   of the container's files for SELinux; empty where that is not there
    Plan plan(
            ContainerConfig config,
            Sandbox sandbox,
            PodFiles files,
            List<ImageVolume> volumes,
            Map<Mount, ImageMount> images,
            String label) {
        boolean privileged = config.getLinux().getSecurityContext().getPrivileged();
        boolean readonlyRoot = config.getLinux().getSecurityContext().getReadonlyRootfs();
        List<Spec.Mount> requested = new ArrayList<>();
        String rootPropagation = "";
        for (Mount mount : config.getMountsList()) {
            ImageMount image = images.get(mount);
            if (image != null) {
                requested.add(bind(image, BindMount.added(mount, image.path())));
                continue;
            }
            String propagation = propagation(mount);
            requested.add(bind(mount, propagation, sandbox, label));
            rootPropagation = wider(rootPropagation, propagation);
        }
        SandboxNamespaces namespaces = sandbox.config().namespaces();
        List<Spec.Mount> mounts = new ArrayList<>(
                standard(namespaces, privileged, support.apply(sandbox).writableCgroup()));
        mounts.addAll(pod(sandbox, files, readonlyRoot));
        volumes.forEach(it -> mounts.add(
                BindMount.shifted(bind(it.path().value(), it.directory(), "rprivate", false), namespaces.users())));
        Set<String> taken = requested.stream().map(Spec.Mount::destination).collect(Collectors.toSet());
        mounts.removeIf(it -> isReplaced(it, taken));
        mounts.addAll(requested);
        mounts.sort(Comparator.comparingInt(it -> new ContainerPath(it.destination()).depth()));
        return new Plan(mounts, rootPropagation);
    }

    static ContainerPath destination(Mount mount) {
        ContainerPath destination = ContainerPath.of("mount path", mount.getContainerPath());
        if (destination.isRoot()) {
            throw new ContainerException.InvalidRequest(
                    "mount path \"%s\" is the root of the container".formatted(mount.getContainerPath()));
        }
        return destination;
    }

    private static List<Spec.Mount> standard(SandboxNamespaces pod, boolean privileged, boolean writableCgroup) {
        List<Spec.Mount> mounts = new ArrayList<>(SpecParts.standardMounts(pod));
        mounts.add(new Spec.Mount(
                "/sys/fs/cgroup",
                "cgroup",
                "cgroup",
                List.of("nosuid", "noexec", "nodev", "relatime", writableCgroup ? "rw" : "ro")));
        if (privileged) {
            mounts.replaceAll(ContainerMounts::writable);
        }
        return mounts;
    }

    private static Spec.Mount writable(Spec.Mount mount) {
        List<String> options =
                mount.options().stream().map(it -> it.equals("ro") ? "rw" : it).toList();
        return new Spec.Mount(mount.destination(), mount.type(), mount.source(), options);
    }

    private static List<Spec.Mount> pod(Sandbox sandbox, PodFiles files, boolean readonly) {
        return List.of(
                bind("/etc/hostname", files.hostname(), "rprivate", readonly),
                bind("/etc/hosts", files.hosts(), "rprivate", readonly),
                bind("/etc/resolv.conf", files.resolvConf(), "rprivate", readonly),
                bind("/dev/shm", files.shm(sandbox.config().namespaces()), "rprivate", false));
    }

    /// A request that brings its own `/dev` or `/sys` brings what the kernel shows below it, too.
    private static boolean isReplaced(Spec.Mount mount, Set<String> taken) {
        return taken.contains(mount.destination())
                || (!mount.type().equals("bind")
                        && TREES.stream()
                                .anyMatch(it -> taken.contains(it)
                                        && mount.destination().startsWith(it + "/")));
    }

    private Spec.Mount bind(Mount mount, String propagation, Sandbox sandbox, String label) {
        ContainerPath destination = destination(mount);
        refuse(!mount.getImageSubPath().isEmpty(), destination, "has an image sub path but no image");
        BindMount wanted = BindMount.of(mount, destination, propagation, support.apply(sandbox));
        Path source = HostPaths.existing(mount.getHostPath(), destination);
        checkPeers(source, propagation);
        if (mount.getSelinuxRelabel() && !label.isEmpty()) {
            SelinuxRelabel.apply(source, label);
        }
        return wanted.from(source);
    }

    private static Spec.Mount bind(String destination, Path source, String propagation, boolean readonly) {
        return new Spec.Mount(
                destination, "bind", source.toString(), List.of("rbind", propagation, readonly ? "ro" : "rw"));
    }

    private static Spec.Mount bind(ImageMount image, List<String> added) {
        List<String> options = new ArrayList<>(List.of("rbind", "rprivate", "ro", "nosuid", "nodev"));
        added.stream().filter(it -> !options.contains(it)).forEach(options::add);
        return new Spec.Mount(image.path().value(), "bind", image.source().toString(), options);
    }

    private static void refuse(boolean condition, ContainerPath destination, String why) {
        if (condition) {
            throw new ContainerException.InvalidRequest("mount %s %s".formatted(destination, why));
        }
    }

    private static String propagation(Mount mount) {
        return switch (mount.getPropagation()) {
            case PROPAGATION_PRIVATE -> "rprivate";
            case PROPAGATION_HOST_TO_CONTAINER -> "rslave";
            case PROPAGATION_BIDIRECTIONAL -> "rshared";
            case UNRECOGNIZED ->
                throw new ContainerException.InvalidRequest("mount %s has unknown propagation %d"
                        .formatted(mount.getContainerPath(), mount.getPropagationValue()));
        };
    }

    /// Mounts can only cross to or from the host where the host's own mount lets them.
    private void checkPeers(Path source, String propagation) {
        if (propagation.equals("rprivate")) {
            return;
        }
        PeerGroups peers = new PeerGroups(hostMounts.get());
        boolean possible = peers.isShared(source) || (propagation.equals("rslave") && peers.isSlave(source));
        if (!possible) {
            throw new ContainerException.InvalidRequest(
                    "cannot mount host path %s as %s: it lies on a private mount; make that shared first"
                            .formatted(source, propagation));
        }
    }

    private static String wider(String known, String propagation) {
        if (propagation.equals("rshared") || known.equals("rshared")) {
            return "rshared";
        }
        return propagation.equals("rslave") ? "rslave" : known;
    }
}
