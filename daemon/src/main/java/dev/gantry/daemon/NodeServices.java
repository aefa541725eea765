package dev.gantry.daemon;

import dev.gantry.cni.NetworkConfigs;
import dev.gantry.cni.NetworkGenerator;
import dev.gantry.cni.PluginRunner;
import dev.gantry.cni.PodNetworks;
import dev.gantry.image.Credentials;
import dev.gantry.image.CriImageService;
import dev.gantry.image.Image;
import dev.gantry.image.ImageSettings;
import dev.gantry.image.Images;
import dev.gantry.image.PullOptions;
import dev.gantry.image.Reference;
import dev.gantry.image.UnpackLimits;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.HostFacts;
import dev.gantry.linux.Poller;
import dev.gantry.linux.UserNamespaces;
import dev.gantry.runtime.Containers;
import dev.gantry.runtime.RuntimeServices;
import dev.gantry.runtime.StreamingSettings;
import dev.gantry.sandbox.AppArmor;
import dev.gantry.sandbox.CgroupDriver;
import dev.gantry.sandbox.HandlerFeatures;
import dev.gantry.sandbox.PauseImage;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.PodShims;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.RuntimeHandlers;
import dev.gantry.sandbox.SandboxNetworks;
import dev.gantry.sandbox.SandboxParts;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.SandboxSpec;
import dev.gantry.sandbox.Sandboxes;
import dev.gantry.sandbox.Selinux;
import dev.gantry.sandbox.SpecParts;
import dev.gantry.sandbox.StoredNetworkJournal;
import dev.gantry.shim.ConfiguredOptions;
import dev.gantry.shim.Exit;
import dev.gantry.shim.RuncOptions;
import dev.gantry.shim.ShimBinary;
import dev.gantry.shim.ShimOptions;
import dev.gantry.shim.Shims;
import dev.gantry.shim.TaskEvents;
import dev.gantry.storage.ContentStore;
import dev.gantry.storage.GarbageCollector;
import dev.gantry.storage.Kind;
import dev.gantry.storage.LayerUsages;
import dev.gantry.storage.Leases;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.NativeSnapshotter;
import dev.gantry.storage.OverlaySnapshotter;
import dev.gantry.storage.Snapshotter;
import dev.gantry.storage.Snapshotters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Everything of a node below its gRPC server: stores, images, networks, shims, pods and containers, made in the order
/// in which they need each other.
final class NodeServices {

    private static final Logger log = LoggerFactory.getLogger(NodeServices.class);

    /// How many steps of calls may go on beside the calls themselves.
    private static final int STEP_THREADS = 64;
    private static final int EXIT_THREADS = 32;
    /// Whatever shim a pod has, ours makes its user namespace.
    private static final String PINNING_SHIM = "containerd-shim-gantry-v1";
    private static final Duration DELETIONS = Duration.ofSeconds(20);

    private final Configuration configuration;
    private final Clock clock = Clock.systemUTC();
    private final MetadataStore store;
    private final ContentStore content;
    private final List<Snapshotter> snapshotters;
    private final Leases leases;
    private final Images images;
    private final GarbageCollector garbage;
    private final ExecutorService steps;
    private final AppArmor apparmor;
    private final Selinux selinux;
    private final Sandboxes sandboxes;
    private final RuntimeServices runtime;
    private final CriImageService imageService;

    /// @param parts takes what must be closed, the last first
    NodeServices(Configuration configuration, Identity identity, Parts parts) {
        this.configuration = configuration;
        Path root = configuration.root();
        Path state = configuration.state();
        this.store = parts.add(MetadataStore.open(root.resolve("metadata"), kinds()));
        this.content = ContentStore.open(root.resolve("content"), store);
        this.snapshotters = snapshotters(root, configuration.storage().snapshotter());
        this.leases = new Leases(store);
        LayerUsages layerUsages = parts.add(new LayerUsages(clock));
        this.images = parts.add(new Images(
                store,
                content,
                snapshotters,
                layerUsages,
                leases,
                imageSettings(configuration.images()),
                state.resolve("unpack")));
        Snapshotters byName = new Snapshotters(snapshotters);

        this.steps = parts.add(new CallThreads("step", STEP_THREADS));
        ExecutorService exits = parts.add(new CallThreads("exit", EXIT_THREADS));
        Poller poller = parts.add(new Poller());
        ShimReports reports = new ShimReports();
        Shims shims = parts.add(new Shims(state, state.resolve("events/shims.sock"), reports, poller));
        RuntimeHandlers handlers = handlers();
        Cgroups cgroups = Cgroups.host();
        PodCgroups podCgroups = podCgroups(cgroups);
        SandboxPlaces places =
                new SandboxPlaces(root, state, configuration.cni().netnsDir());
        this.apparmor = new AppArmor();
        this.selinux = selinux(configuration.runtime());
        SpecParts specParts = new SpecParts(apparmor, selinux);
        NetworkConfigs networkConfigs = new NetworkConfigs(configuration.cni().confDir());
        PodNetworks networks = new PodNetworks(
                networkConfigs,
                new PluginRunner(
                        configuration.cni().binDirs(),
                        configuration.cni().addTimeout(),
                        configuration.cni().delTimeout()),
                new StoredNetworkJournal(store));
        UserNamespaces userNamespaces = new UserNamespaces(program(PINNING_SHIM));
        HandlerFeatures features = new HandlerFeatures(byName, userNamespaces, state);
        this.sandboxes = new Sandboxes(new SandboxParts(
                store,
                images,
                new PauseImage(images, pauseReference(identity), this::pull),
                byName,
                new SandboxNetworks(networks),
                shims,
                new PodShims(),
                handlers,
                features,
                userNamespaces,
                podCgroups,
                new SandboxSpec(
                        specParts,
                        podCgroups,
                        places,
                        configuration.runtime().unprivilegedPorts(),
                        configuration.runtime().unprivilegedIcmp()),
                places,
                steps,
                clock,
                HostFacts.bootId()));
        this.runtime = parts.add(new RuntimeServices(new RuntimeServices.Setup(
                store,
                sandboxes,
                images,
                byName,
                layerUsages,
                networks,
                new NetworkGenerator(networkConfigs, configuration.cni().confTemplate()),
                shims,
                handlers,
                features,
                podCgroups,
                cgroups,
                specParts,
                places,
                poller,
                steps,
                exits,
                clock,
                configuration.runtime().maxLogLineSize(),
                configuration.runtime().lateResultTimeout(),
                configuration.runtime().options(),
                HostFacts.bootId(),
                identity.version(),
                streaming(configuration.streaming()),
                () -> StatusInfo.of(configuration))));
        reports.runtime = runtime;
        this.garbage = new GarbageCollector(
                store,
                content,
                snapshotters,
                leases,
                List.of(
                        Images.roots(
                                snapshotters.stream().map(Snapshotter::name).toList()),
                        sandboxes.roots(),
                        runtime.roots()));
        this.imageService = new CriImageService(
                images, handler -> Optional.of(handlers.get(handler).snapshotter()), garbage::run);
        parts.add(this::finishDeletions);
    }

    private static Selinux selinux(Configuration.Containers settings) {
        return settings.selinux() ? Selinux.ofNode(settings.selinuxCategories()) : Selinux.off();
    }

    /// Brings stored and running things together; before the first client.
    void recover() {
        configuration.images().builtin().ifPresent(new BuiltinImages(images)::importFrom);
        snapshotters.forEach(it -> selinux.labelLayers(it.root()));
        sandboxes.recover();
        runtime.recover();
        steps.execute(apparmor::prepare);
        steps.execute(this::collectLeftovers);
    }

    /// Removed pods and containers are deleted behind the caller's back: that needs the shims, so it ends before them.
    private void finishDeletions() throws InterruptedException {
        runtime.finishDeletions(DELETIONS);
        sandboxes.finishDeletions(DELETIONS);
    }

    /// What a daemon before this one was killed over: nothing refers to it, so it only takes up space.
    private void collectLeftovers() {
        try {
            garbage.run();
            snapshotters.forEach(Snapshotter::cleanUp);
        } catch (RuntimeException e) {
            log.atWarn()
                    .setCause(e)
                    .log("cannot remove what an earlier daemon left; it is tried again at the next start");
        }
    }

    Images images() {
        return images;
    }

    Sandboxes sandboxes() {
        return sandboxes;
    }

    /// As the configuration names it.
    String cgroupDriver() {
        return driver() == CgroupDriver.SYSTEMD ? "systemd" : "cgroupfs";
    }

    RuntimeServices runtime() {
        return runtime;
    }

    CriImageService imageService() {
        return imageService;
    }

    GarbageCollector garbage() {
        return garbage;
    }

    ContentStore content() {
        return content;
    }

    List<Snapshotter> snapshotters() {
        return snapshotters;
    }

    Leases leases() {
        return leases;
    }

    private static List<Kind<?>> kinds() {
        List<Kind<?>> kinds = new ArrayList<>(
                List.of(ContentStore.KIND, Leases.KIND, OverlaySnapshotter.KIND, NativeSnapshotter.KIND, Image.KIND));
        kinds.addAll(Sandboxes.KINDS);
        kinds.addAll(Containers.KINDS);
        return kinds;
    }

    /// The default one first.
    private List<Snapshotter> snapshotters(Path root, String first) {
        Snapshotter overlay = new OverlaySnapshotter(root.resolve("snapshots/overlayfs"), store);
        Snapshotter plain = new NativeSnapshotter(root.resolve("snapshots/native"), store);
        return overlay.name().equals(first) ? List.of(overlay, plain) : List.of(plain, overlay);
    }

    private static ImageSettings imageSettings(Configuration.Images images) {
        return new ImageSettings(
                images.registryConfig(),
                images.maxConcurrentDownloads(),
                images.maxConcurrentUnpacks(),
                images.pullProgressTimeout(),
                UnpackLimits.DEFAULT,
                images.verifiers());
    }

    private static StreamingSettings streaming(Configuration.Streaming streaming) {
        return new StreamingSettings(
                streaming.address(),
                streaming.port(),
                streaming.certificate().isEmpty()
                        ? Optional.empty()
                        : Optional.of(
                                new StreamingSettings.Tls(Path.of(streaming.certificate()), Path.of(streaming.key()))),
                streaming.idleTimeout(),
                streaming.maxStreams());
    }

    private RuntimeHandlers handlers() {
        boolean systemd = driver() == CgroupDriver.SYSTEMD;
        List<RuntimeHandler> handlers = new ArrayList<>();
        configuration.runtime().handlers().forEach((name, handler) -> handlers.add(handler(name, handler, systemd)));
        return new RuntimeHandlers(handlers, configuration.runtime().defaultHandler());
    }

    private RuntimeHandler handler(String name, HandlerSettings handler, boolean systemd) {
        ShimOptions options = handler.binary().isEmpty()
                ? new ConfiguredOptions(
                        handler.configuration().type(),
                        handler.configuration().path(),
                        handler.configuration().body())
                : new RuncOptions(handler.root(), program(handler.binary()), systemd);
        return new RuntimeHandler(
                name,
                new ShimBinary(
                        program(handler.shim()),
                        options.equals(ConfiguredOptions.NONE) ? Optional.empty() : Optional.of(options)),
                options,
                handler.snapshotter().isEmpty() ? configuration.storage().snapshotter() : handler.snapshotter(),
                handler.allowedAnnotations(),
                handler.allowedContainerAnnotations(),
                handler.baseSpec(),
                handler.hostDevices(),
                handler.writableCgroup());
    }

    /// A handler whose programs are missing was warned of; it fails when a pod asks for it.
    private static Path program(String name) {
        return Programs.ofEnvironment()
                .find(name)
                .orElseGet(() -> Path.of("/nonexistent").resolve(name));
    }

    private PodCgroups podCgroups(Cgroups cgroups) {
        CgroupDriver driver = driver();
        String parent = configuration.runtime().cgroupParent();
        if (parent.isEmpty()) {
            parent = driver == CgroupDriver.SYSTEMD ? "gantry.slice" : "/gantry";
        }
        return new PodCgroups(cgroups, driver, parent);
    }

    private CgroupDriver driver() {
        return switch (configuration.runtime().cgroupDriver()) {
            case "systemd" -> CgroupDriver.SYSTEMD;
            case "cgroupfs" -> CgroupDriver.CGROUPFS;
            default ->
                Cgroups.version() == Cgroups.Version.V2 && Files.isDirectory(Path.of("/run/systemd/system"))
                        ? CgroupDriver.SYSTEMD
                        : CgroupDriver.CGROUPFS;
        };
    }

    private String pauseReference(Identity identity) {
        String configured = configuration.images().pauseImage();
        return configured.isEmpty() ? "gantry.local/pause:" + identity.version() : configured;
    }

    private Image pull(String reference) {
        return images.pull(PullOptions.of(Reference.parse(reference), Credentials.NONE));
    }

    /// Passes on what shims report by themselves; exits are learnt by waiting for them.
    private static final class ShimReports implements TaskEvents {

        private volatile @Nullable RuntimeServices runtime;

        @Override
        public void exited(String container, Optional<String> exec, int pid, Exit exit) {}

        @Override
        public void oom(String container) {
            RuntimeServices services = runtime;
            if (services != null) {
                services.outOfMemory(container);
            }
        }
    }
}
