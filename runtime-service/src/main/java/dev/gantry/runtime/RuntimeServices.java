package dev.gantry.runtime;

import dev.gantry.cni.NetworkGenerator;
import dev.gantry.cni.PodNetworks;
import dev.gantry.image.Images;
import dev.gantry.linux.Cgroups;
import dev.gantry.linux.KeyedLocks;
import dev.gantry.linux.Poller;
import dev.gantry.sandbox.HandlerFeatures;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.RuntimeHandlers;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxPlaces;
import dev.gantry.sandbox.Sandboxes;
import dev.gantry.sandbox.SpecParts;
import dev.gantry.shim.Shims;
import dev.gantry.storage.LayerUsages;
import dev.gantry.storage.MetadataStore;
import dev.gantry.storage.RootSource;
import dev.gantry.storage.Snapshotters;
import io.grpc.BindableService;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Everything of this module, put together: what the daemon wires, recovers and serves.
public final class RuntimeServices implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RuntimeServices.class);

    /// What containers are made of and with.
    ///
    /// @param steps        stops the containers of a pod side by side; bounded, platform threads
    /// @param exits        records ends of containers; bounded, platform threads
    /// @param maxLogLine   bytes of a log line before it is split
    /// @param keepLateResults how long pods and containers wait for the retry of a client that gave up on them
    /// @param options      what the configuration says about all containers
    /// @param bootId       of the running kernel
    /// @param version      of the daemon
    /// @param streaming    how clients reach exec, attach and port forwarding
    /// @param configuration what the daemon was told, for the verbose status
    public record Setup(
            MetadataStore store,
            Sandboxes sandboxes,
            Images images,
            Snapshotters snapshotters,
            LayerUsages layerUsages,
            PodNetworks networks,
            NetworkGenerator networkGenerator,
            Shims shims,
            RuntimeHandlers handlers,
            HandlerFeatures features,
            PodCgroups podCgroups,
            Cgroups cgroups,
            SpecParts specParts,
            SandboxPlaces places,
            Poller poller,
            ExecutorService steps,
            ExecutorService exits,
            Clock clock,
            int maxLogLine,
            Duration keepLateResults,
            ContainerOptions options,
            String bootId,
            String version,
            StreamingSettings streaming,
            Supplier<Map<String, Object>> configuration) {}

    private final LiveContainers live = new LiveContainers();
    private final ContainerRecovery recovery;
    private final Containers containers;
    private final Statistics statistics;
    private final ContainerEvents events;
    private final Streaming streaming;
    private final CriRuntimeService service;
    private final ListCalls listCalls;

    public RuntimeServices(Setup setup) {
        ContainerParts parts = new ContainerParts(
                setup.store(),
                setup.sandboxes(),
                setup.images(),
                setup.snapshotters(),
                setup.shims(),
                live,
                setup.handlers(),
                setup.podCgroups(),
                setup.cgroups(),
                new ContainerSpecs(
                        setup.specParts(),
                        setup.podCgroups(),
                        setup.places(),
                        new ImageLayers(setup.images(), setup.snapshotters()),
                        NodeFeatures.detect(setup.cgroups()),
                        sandbox -> mountSupport(setup, sandbox),
                        setup.options(),
                        id -> setup.store().view().find(ContainerRows.KIND, id)),
                new ContainerStreams(setup.poller(), setup.maxLogLine(), setup.steps(), setup.clock()),
                setup.places(),
                new KeyedLocks(),
                setup.exits(),
                setup.steps(),
                setup.clock(),
                setup.bootId());
        ContainerExits ends = new ContainerExits(parts, new OomKills(setup.cgroups()));
        this.recovery = new ContainerRecovery(parts, ends);
        this.events = new ContainerEvents(setup.clock());
        setup.store().watch(events::committed);
        this.containers = new Containers(parts, ends, events, setup.keepLateResults());
        Execs execs = new Execs(containers, parts);
        this.streaming = new Streaming(
                setup.streaming(),
                new StreamTokens(setup.clock()),
                new StreamSessions(
                        containers,
                        execs,
                        new PodDialer(setup.sandboxes(), setup.places(), setup.steps()),
                        setup.steps()));
        this.statistics = new Statistics(setup, setup.sandboxes(), containers);
        Pods pods = new Pods(
                setup.sandboxes(), containers, setup.podCgroups(), setup.steps(), events, setup.keepLateResults());
        this.service = new CriRuntimeService(
                pods,
                containers,
                new ExecSync(containers, parts, execs),
                statistics,
                events,
                new StreamingCalls(containers, setup.sandboxes(), execs, streaming::address),
                new StatusReport(setup.networks()::status, setup.handlers(), setup.features(), setup.configuration()),
                new VerboseInfo(setup.sandboxes(), setup.handlers(), setup.places(), live),
                setup.networkGenerator(),
                setup.version());
        this.listCalls = new ListCalls(new Lists(pods, containers, statistics));
    }

    private static MountSupport mountSupport(Setup setup, Sandbox sandbox) {
        RuntimeHandler handler = setup.handlers().get(sandbox.handler());
        return new MountSupport(
                setup.features().recursiveReadOnly(handler),
                setup.features().idMappedMounts(handler),
                handler.writableCgroup() && Cgroups.version() == Cgroups.Version.V2);
    }

    /// Finds the containers again that ran before the daemon was started; after the sandboxes, before the first client.
    public void recover() {
        recovery.run();
        statistics.start();
    }

    /// Waits until what was removed is deleted, or the time is up; for a daemon that ends, while it still has its
    /// shims. What is not finished goes on at the next start.
    public void finishDeletions(Duration limit) throws InterruptedException {
        try {
            containers.deletions().get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            log.atWarn().setCause(e).log("removed containers are not deleted yet; that goes on at the next start");
        }
    }

    public BindableService service() {
        return () -> listCalls.in(service.bindService());
    }

    /// Ends the streams that would go on for as long as their clients want; before the server waits for its calls.
    public void endStreams() {
        events.close();
    }

    @Override
    public void close() {
        events.close();
        statistics.close();
        streaming.close();
    }

    /// What containers keep from the garbage collector.
    public RootSource roots() {
        return containers.roots();
    }

    /// A shim says that the kernel killed something in a container for want of memory.
    public void outOfMemory(String container) {
        live.outOfMemory(container);
    }
}
