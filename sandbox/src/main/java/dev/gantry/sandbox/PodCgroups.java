package dev.gantry.sandbox;

import dev.gantry.linux.Cgroups;
import java.util.Optional;

/// Where pods and containers stand in the cgroup tree.
///
/// A pod that names no parent gets a cgroup of its own below the daemon's; so does a pod whose named parent does not
/// exist yet (crictl). Those we own: we limit and remove them. A parent that exists belongs to the kubelet, which
/// limits and removes it itself. The last part of a container's path is its id, or cAdvisor would not recognise it.
public final class PodCgroups {

    /// What a scope's name begins with under systemd: `gantry-<id>.scope`.
    private static final String SCOPE_PREFIX = "gantry";

    private final Cgroups cgroups;
    private final CgroupDriver driver;
    private final String root;

    /// @param root the cgroup (`/gantry`) or slice (`gantry.slice`) below which pods without a parent go
    public PodCgroups(Cgroups cgroups, CgroupDriver driver, String root) {
        this.cgroups = cgroups;
        this.driver = driver;
        this.root = root;
    }

    /// The cgroup that holds a pod, and whether it is ours.
    record Place(String parent, boolean owned) {}

    public CgroupDriver driver() {
        return driver;
    }

    /// Decides where the pod goes; nothing is made yet.
    Place place(SandboxId id, String requested) {
        return switch (driver) {
            case SYSTEMD -> new Place(slice(requested), false);
            case CGROUPFS -> {
                String parent = requested.isEmpty() ? root + "/" + id : absolute(requested);
                yield new Place(parent, requested.isEmpty() || !cgroups.exists(parent));
            }
        };
    }

    void create(Place place) {
        if (place.owned()) {
            cgroups.create(place.parent());
        }
    }

    /// Limits the pod as its request asks, if its cgroup is ours: all limits are set, or none.
    ///
    /// The kubelet limits the pods that it makes cgroups for itself; what it tells us of them is the sum of those
    /// containers that have limits, which would kill the unlimited ones. Under systemd a pod's slice is
    /// systemd's, which sets back what others write: there the limits are only kept.
    void limit(Sandbox sandbox) {
        if (sandbox.ownsCgroup()) {
            SandboxConfig config = sandbox.config();
            LinuxResources total = config.resources()
                    .map(it -> config.overhead().map(it::plus).orElse(it))
                    .orElse(LinuxResources.NONE);
            new PodLimits(cgroups, Cgroups.version(), sandbox.cgroupParent()).apply(total);
        }
    }

    /// Removes the pod's cgroup if it is ours; one that still holds something is left to the next try.
    void remove(Sandbox sandbox) {
        if (sandbox.ownsCgroup()) {
            cgroups.remove(sandbox.cgroupParent());
        }
    }

    /// `cgroupsPath` of the OCI spec for a container of the pod.
    public String pathOf(String parent, String containerId) {
        return switch (driver) {
            case SYSTEMD -> "%s:%s:%s".formatted(parent, SCOPE_PREFIX, containerId);
            case CGROUPFS -> parent + "/" + containerId;
        };
    }

    /// Where a container's cgroup is below the root of each controller, once [#pathOf] has been acted upon.
    public String locationOf(String parent, String containerId) {
        return switch (driver) {
            case SYSTEMD -> "%s/%s-%s.scope".formatted(expanded(parent), SCOPE_PREFIX, containerId);
            case CGROUPFS -> parent + "/" + containerId;
        };
    }

    /// Where the cgroup of a pod is below the root of each controller, if that holds nothing but the pod: its name then
    /// has the sandbox's id, or, where the kubelet made it, the pod's uid (with underscores in a slice).
    public Optional<String> locationOfPod(Sandbox sandbox) {
        String parent = sandbox.cgroupParent();
        String name = parent.substring(parent.lastIndexOf('/') + 1);
        String uid = sandbox.config().metadata().uid();
        boolean own = name.contains(sandbox.id().value())
                || (!uid.isEmpty() && (name.contains(uid) || name.contains(uid.replace('-', '_'))));
        if (!own) {
            return Optional.empty();
        }
        return Optional.of(driver == CgroupDriver.SYSTEMD ? expanded(parent) : parent);
    }

    /// A slice's name tells where it is: `a-b.slice` is `/a.slice/a-b.slice`, and `-.slice` the root
    /// (systemd.slice(5)).
    private static String expanded(String slice) {
        String name = slice.substring(0, slice.length() - ".slice".length());
        StringBuilder path = new StringBuilder();
        for (int dash = name.indexOf('-', 1); dash > 0; dash = name.indexOf('-', dash + 1)) {
            path.append('/').append(name, 0, dash).append(".slice");
        }
        return name.equals("-") ? "" : path.append('/').append(slice).toString();
    }

    private String slice(String requested) {
        String parent = requested.isEmpty() ? root : requested;
        String last = parent.substring(parent.lastIndexOf('/') + 1);
        if (!last.endsWith(".slice") || last.contains(":")) {
            throw new SandboxException.InvalidRequest(
                    "cgroup parent \"%s\" is not a slice, as the systemd cgroup driver needs it".formatted(requested));
        }
        return last;
    }

    private static String absolute(String requested) {
        String path = requested.startsWith("/") ? requested : "/" + requested;
        for (String part : path.substring(1).split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..") || part.contains(":")) {
                throw new SandboxException.InvalidRequest(
                        "cgroup parent \"%s\" is not a plain path".formatted(requested));
            }
        }
        return path;
    }
}
