package dev.gantry.runtime;

import dev.gantry.cri.oci.Linux;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Resources;
import dev.gantry.cri.oci.Spec;
import dev.gantry.cri.runtime.v1.ContainerConfig;
import dev.gantry.cri.runtime.v1.LinuxContainerResources;
import dev.gantry.cri.runtime.v1.LinuxContainerSecurityContext;
import dev.gantry.cri.runtime.v1.Mount;
import dev.gantry.cri.runtime.v1.Signal;
import dev.gantry.image.Image;
import dev.gantry.linux.MountTable;
import dev.gantry.linux.Signals;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.SandboxSpec;
import dev.gantry.sandbox.SelinuxRelabel;
import dev.gantry.sandbox.SpecParts;
import dev.gantry.sandbox.UserIds;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/// Builds OCI specs of containers from the request, the pod, the image and what the node can do.
///
/// A wrong request is refused here, with a message that names the field, before anything of the container exists.
/// Thread-safe.
final class ContainerSpecs {

    /// A descriptor that the runtime left open would lead out of the container (CVE-2024-21626).
    private static final Pattern DESCRIPTOR =
            Pattern.compile("/proc/[^/]+(/task/[^/]+)?/(fd|fdinfo|cwd|root|exe|map_files)(/.*)?|/dev/fd(/.*)?");

    private final SpecParts parts;
    private final PodCgroups cgroups;
    private final SandboxPlaces places;
    private final ImageSource images;
    private final NodeFeatures node;
    private final ContainerOptions options;
    private final CdiDevices cdi;
    private final ImageFiles files = new ImageFiles();
    private final ContainerNamespaces namespaces;
    private final ContainerMounts mounts;
    private final ContainerConfinement confinement;
    private final ImageVolumes volumes;
    private final ImageMounts imageMounts;

    /// @param mountSupport what the OCI runtime of a pod can do with mounts
    /// @param containers   finds a container by its id
    ContainerSpecs(
            SpecParts parts,
            PodCgroups cgroups,
            SandboxPlaces places,
            ImageSource images,
            NodeFeatures node,
            Function<Sandbox, MountSupport> mountSupport,
            ContainerOptions options,
            Function<String, Optional<Container>> containers) {
        this.parts = parts;
        this.cgroups = cgroups;
        this.places = places;
        this.images = images;
        this.node = node;
        this.options = options;
        this.cdi = new CdiDevices(options.cdiDirectories());
        this.namespaces = new ContainerNamespaces(containers);
        this.mounts = new ContainerMounts(MountTable::read, mountSupport);
        this.confinement = new ContainerConfinement(parts);
        this.volumes = new ImageVolumes(places.root());
        this.imageMounts = new ImageMounts(images, places);
    }

    /// What to make of a request.
    ///
    /// @param cgroupPath where the container's cgroup will be, below each controller's root
    /// @param fileLabel  what all its files are labelled with for SELinux; empty for nothing
    /// @param volumes    what [#createVolumes] has yet to make
    /// @param imageMounts what [#mountImages] has yet to make
    record Plan(
            Spec spec,
            ContainerUser user,
            int stopSignal,
            String cgroupPath,
            String fileLabel,
            List<ImageVolume> volumes,
            List<ImageMount> imageMounts,
            ImageContent image) {

        Plan {
            volumes = List.copyOf(volumes);
            imageMounts = List.copyOf(imageMounts);
        }
    }

    /// Decides everything; makes nothing but missing host paths of mounts.
    ///
    /// @throws ContainerException.InvalidRequest when the container cannot be as it is asked for
    Plan plan(String id, ContainerConfig config, Sandbox sandbox, RuntimeHandler handler, Image image) {
        return plan(
                id,
                config,
                sandbox,
                handler,
                images.content(image, handler, config.getImage().getImage()));
    }

    Plan plan(String id, ContainerConfig config, Sandbox sandbox, RuntimeHandler handler, ImageContent image) {
        LinuxContainerSecurityContext security = config.getLinux().getSecurityContext();
        checkPrivileged(config, sandbox);
        if (config.hasWindows()) {
            throw new ContainerException.InvalidRequest(
                    "the request has settings for Windows, and this node has Linux");
        }
        ContainerAnnotations.checkSize(config.getLabelsMap(), config.getAnnotationsMap());
        UserDatabase users = files.users(image);
        ContainerUser user = ContainerUsers.choose(security, image, users);
        sandbox.config().namespaces().users().ifPresent(it -> checkMapped(user, it));
        OciProcess.Capabilities capabilities = security.getPrivileged()
                ? ContainerCapabilities.privileged(node.capability())
                : ContainerCapabilities.of(security.getCapabilities(), node.capability());
        List<ImageVolume> imageVolumes = options.imageVolumes() ? volumes.plan(id, image, config) : List.of();
        OciProcess process = process(config, sandbox, image, user, capabilities);
        Linux.Builder linux = linux(id, config, sandbox, handler, capabilities);
        int stopSignal = stopSignal(config, image);
        Map<Mount, ImageMount> mountedImages = imageMounts.plan(id, config, sandbox, handler);
        String fileLabel = fileLabel(config, sandbox);
        // Last, as it alone touches the host.
        ContainerMounts.Plan mounted =
                mounts.plan(config, sandbox, places.files(sandbox.id()), imageVolumes, mountedImages, fileLabel);
        Spec spec = Spec.builder()
                .process(process)
                .root("rootfs", security.getReadonlyRootfs())
                .mounts(mounted.mounts())
                .annotations(ContainerAnnotations.of(config, sandbox, handler))
                .linux(linux.rootfsPropagation(mounted.rootPropagation()).build())
                .build();
        Spec edited = withHome(
                CdiInjection.apply(
                        handler.baseSpec().map(it -> BaseSpec.under(spec, it)).orElse(spec),
                        cdi.find(config.getCDIDevicesList())),
                users.home(user.uid()));
        String cgroupPath = cgroups.locationOf(sandbox.cgroupParent(), id);
        return new Plan(
                edited,
                user,
                stopSignal,
                cgroupPath,
                fileLabel,
                imageVolumes,
                List.copyOf(mountedImages.values()),
                image);
    }

    private static Spec withHome(Spec spec, String home) {
        OciProcess process = Objects.requireNonNull(spec.process());
        return new Spec(
                spec.ociVersion(),
                process.toBuilder()
                        .env(ContainerEnvironment.withHome(process.env(), home))
                        .build(),
                spec.root(),
                spec.hostname(),
                spec.domainname(),
                spec.mounts(),
                spec.hooks(),
                spec.annotations(),
                spec.linux());
    }

    /// Makes the volumes that the image declares; [#delete] takes them away, also after a failure.
    void createVolumes(Plan plan) {
        volumes.create(plan.volumes(), plan.image());
        plan.volumes().forEach(it -> SelinuxRelabel.own(it.directory(), plan.fileLabel()));
    }

    /// Mounts the images that the container has as volumes, in its bundle, which is there; they go with it.
    void mountImages(Plan plan, String snapshotter, Sandbox sandbox) {
        imageMounts.make(plan.imageMounts(), snapshotter, places.idShift(sandbox), plan.fileLabel());
    }

    /// Deletes what [#createVolumes] made; nothing there is fine.
    void delete(String id) {
        volumes.delete(id);
    }

    /// The limits of a container, but for its devices.
    ///
    /// @throws ContainerException.InvalidRequest when a limit cannot be set on this node
    Resources limits(LinuxContainerResources request) {
        return ContainerLimits.of(request, List.of(), node);
    }

    /// As [#limits], for a container that runs.
    Resources update(LinuxContainerResources request) {
        return ContainerLimits.ofUpdate(request, node);
    }

    /// The score that is asked for, as far as the kernel will grant it.
    long oomScore(LinuxContainerResources request) {
        return parts.oomScoreAdjust(checkedOomScore(request));
    }

    private static void checkPrivileged(ContainerConfig config, Sandbox sandbox) {
        if (config.getLinux().getSecurityContext().getPrivileged()
                && !sandbox.config().security().privileged()) {
            throw new ContainerException.InvalidRequest("container %s is privileged, but pod sandbox %s is not"
                    .formatted(config.getMetadata().getName(), sandbox.id()));
        }
    }

    private static void checkMapped(ContainerUser user, UserIds ids) {
        boolean mapped = ids.users().contains(user.uid())
                && ids.groups().contains(user.gid())
                && user.groups().stream().allMatch(ids.groups()::contains);
        if (!mapped) {
            throw new ContainerException.InvalidRequest(
                    "user %d with group %d and groups %s has ids that the pod's user namespace (%s, %s) does not have"
                            .formatted(user.uid(), user.gid(), user.groups(), ids.users(), ids.groups()));
        }
    }

    private OciProcess process(
            ContainerConfig config,
            Sandbox sandbox,
            ImageContent image,
            ContainerUser user,
            OciProcess.Capabilities capabilities) {
        LinuxContainerSecurityContext security = config.getLinux().getSecurityContext();
        LinuxContainerResources resources = config.getLinux().getResources();
        return OciProcess.builder()
                .terminal(config.getTty())
                .args(ContainerCommand.arguments(config, image))
                .env(ContainerEnvironment.of(config, image, SandboxSpec.hostName(sandbox.config())))
                .cwd(workingDirectory(config, image).value())
                .user(new OciProcess.User(user.uid(), user.gid(), user.groups()))
                .capabilities(capabilities)
                .rlimits(options.rlimits())
                .noNewPrivileges(security.getNoNewPrivs())
                .apparmorProfile(confinement.apparmor(security))
                .selinuxLabel(confinement.processLabel(security, sandbox.label()))
                .oomScoreAdj(oomScore(resources))
                .build();
    }

    private Linux.Builder linux(
            String id,
            ContainerConfig config,
            Sandbox sandbox,
            RuntimeHandler handler,
            OciProcess.Capabilities capabilities) {
        LinuxContainerSecurityContext security = config.getLinux().getSecurityContext();
        boolean privileged = security.getPrivileged();
        ContainerDevices devices = ContainerDevices.of(config, options.deviceOwnership(), handler.hostDevices());
        Linux.Builder linux = Linux.builder()
                .cgroupsPath(cgroups.pathOf(sandbox.cgroupParent(), id))
                .namespaces(
                        namespaces.of(security.getNamespaceOptions(), sandbox, node.unifiedCgroups() && !privileged))
                .devices(devices.nodes())
                .resources(ContainerLimits.of(config.getLinux().getResources(), devices.rules(), node))
                .mountLabel(fileLabel(config, sandbox));
        if (!privileged) {
            linux.maskedPaths(paths("masked path", security.getMaskedPathsList()))
                    .readonlyPaths(paths("read-only path", security.getReadonlyPathsList()));
        }
        sandbox.config().namespaces().users().ifPresent(it -> SpecParts.addUsers(linux, it));
        confinement.seccomp(security, capabilities.bounding()).ifPresent(linux::seccomp);
        return linux;
    }

    private static List<String> paths(String what, List<String> paths) {
        return paths.stream().map(it -> ContainerPath.of(what, it).value()).toList();
    }

    /// What the container's files are labelled with for SELinux; empty for nothing.
    String fileLabel(ContainerConfig config, Sandbox sandbox) {
        return confinement.mountLabel(config.getLinux().getSecurityContext(), sandbox.label());
    }

    private ContainerPath workingDirectory(ContainerConfig config, ImageContent image) {
        String requested = config.getWorkingDir();
        String defaults = image.config().workingDir();
        ContainerPath directory = ContainerPath.ROOT;
        if (!requested.isEmpty()) {
            directory = ContainerPath.of("working directory", requested);
        } else if (!defaults.isEmpty()) {
            directory = ContainerPath.of("working directory of image " + image.name(), defaults);
        }
        if (!directory.isRoot()) {
            ContainerPath real = files.resolve(image, directory);
            if (DESCRIPTOR.matcher(real.value()).matches()) {
                throw new ContainerException.InvalidRequest(
                        "working directory %s leads to %s, out of the container".formatted(directory, real));
            }
        }
        return directory;
    }

    private static long checkedOomScore(LinuxContainerResources resources) {
        long score = resources.getOomScoreAdj();
        if (score < -1000 || score > 1000) {
            throw new ContainerException.InvalidRequest(
                    "oom_score_adj %d is not between -1000 and 1000".formatted(score));
        }
        return score;
    }

    private static int stopSignal(ContainerConfig config, ImageContent image) {
        String defaults = image.config().stopSignal();
        try {
            return switch (config.getStopSignal()) {
                case UNRECOGNIZED ->
                    throw new ContainerException.InvalidRequest(
                            "unknown stop signal %d".formatted(config.getStopSignalValue()));
                case SIGNAL_RUNTIME_DEFAULT -> defaults.isEmpty() ? Signals.TERM : Signals.number(defaults);
                case Signal named -> CriContainers.number(named);
            };
        } catch (IllegalArgumentException e) {
            throw new ContainerException.InvalidRequest(
                    "stop signal \"%s\" of image %s is unknown".formatted(defaults, image.name()));
        }
    }
}
