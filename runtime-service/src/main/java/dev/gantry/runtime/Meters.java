package dev.gantry.runtime;

import dev.gantry.linux.Cgroups;
import dev.gantry.linux.ErrnoException;
import dev.gantry.sandbox.PodCgroups;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxState;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A meter for everything that runs: containers, pause containers, and the cgroups of pods.
///
/// One thread reads everybody's CPU time every five seconds, a single file each, so that a client that asks once is
/// told a rate; it also lets go of what has ended. Thread-safe.
final class Meters implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Meters.class);
    private static final Duration PERIOD = Duration.ofSeconds(5);
    private static final String POD = "pod/";

    private final Cgroups cgroups;
    private final PodCgroups podCgroups;
    private final Supplier<Collection<Sandbox>> sandboxes;
    private final Supplier<Collection<Container>> containers;
    private final Clock clock;
    private final ConcurrentHashMap<String, Meter> meters = new ConcurrentHashMap<>();
    private final Thread sampler =
            Thread.ofPlatform().name("sampler").daemon(true).unstarted(this::run);

    Meters(
            Cgroups cgroups,
            PodCgroups podCgroups,
            Supplier<Collection<Sandbox>> sandboxes,
            Supplier<Collection<Container>> containers,
            Clock clock) {
        this.cgroups = cgroups;
        this.podCgroups = podCgroups;
        this.sandboxes = sandboxes;
        this.containers = containers;
        this.clock = clock;
    }

    void start() {
        sampler.start();
    }

    /// Of a container that runs.
    Meter of(Container container) {
        Meter meter = meters.get(container.id());
        return meter != null
                ? meter
                : meters.computeIfAbsent(container.id(), _ -> {
                    Duration age = Duration.between(container.started().orElse(container.created()), clock.instant());
                    return since(age, container.cgroupPath());
                });
    }

    /// Of the pause container of a pod that is ready.
    Meter ofPause(Sandbox sandbox) {
        return meters.computeIfAbsent(
                sandbox.id().value(), id -> new Meter(usage(podCgroups.locationOf(sandbox.cgroupParent(), id))));
    }

    /// Of the pod as a whole, pause container included; empty when its cgroup holds other things too.
    Optional<Meter> ofPod(Sandbox sandbox) {
        return podCgroups
                .locationOfPod(sandbox)
                .map(path -> meters.computeIfAbsent(POD + sandbox.id().value(), _ -> {
                    return since(Duration.between(sandbox.created(), clock.instant()), path);
                }));
    }

    /// What has just begun used nothing before; what is older has had its samples, or will.
    private Meter since(Duration age, String path) {
        CgroupUsage usage = usage(path);
        return age.compareTo(PERIOD.multipliedBy(2)) < 0 ? Meter.since(age, usage) : new Meter(usage);
    }

    private CgroupUsage usage(String path) {
        return new CgroupUsage(cgroups.keep(path), cgroups.isV2());
    }

    private void run() {
        try {
            while (true) {
                sampleAll();
                Thread.sleep(PERIOD);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    private void sampleAll() {
        Set<String> running = new HashSet<>();
        for (Container container : containers.get()) {
            if (container.state() == ContainerState.RUNNING) {
                running.add(container.id());
                sample(container.id(), () -> of(container).sample());
            }
        }
        for (Sandbox sandbox : sandboxes.get()) {
            if (sandbox.state() == SandboxState.READY) {
                String id = sandbox.id().value();
                running.add(id);
                running.add(POD + id);
                sample(id, () -> ofPod(sandbox).ifPresent(Meter::sample));
            }
        }
        for (String id : Set.copyOf(meters.keySet())) {
            if (!running.contains(id)) {
                forget(id);
            }
        }
    }

    private static void sample(String id, Runnable sample) {
        try {
            sample.run();
        } catch (ErrnoException | IllegalArgumentException e) {
            log.atDebug().addKeyValue("id", id).setCause(e).log("cannot read the CPU time of a cgroup");
        }
    }

    private void forget(String id) {
        Meter meter = meters.remove(id);
        if (meter != null) {
            meter.close();
        }
    }

    @Override
    public void close() {
        sampler.interrupt();
        try {
            if (sampler.isAlive()) {
                sampler.join(Duration.ofSeconds(5));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        Set.copyOf(meters.keySet()).forEach(this::forget);
    }
}
