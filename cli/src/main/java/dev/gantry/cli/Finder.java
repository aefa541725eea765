package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ListContainersRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxRequest;
import dev.gantry.cri.runtime.v1.PodSandbox;
import dev.gantry.cri.runtime.v1.PodSandboxMetadata;
import dev.gantry.cri.runtime.v1.PodSandboxState;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Finds pods and containers by what a user types: a whole id, a name, or the beginning of an id, in
/// this order of preference. A pod's name may have its namespace before it (`default/web`), a
/// container's name its pod's (`web/server`). Of the attempts of one container the newest counts, and
/// of several things of one name the only one that runs. What is still ambiguous is refused, with
/// the ids to choose from. The lists are read once, when the finder is made.
final class Finder {

    private final List<PodSandbox> pods;
    private final List<Container> containers;

    Finder(Connection connection) {
        this(
                connection
                        .runtime()
                        .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                        .getItemsList(),
                connection
                        .runtime()
                        .listContainers(ListContainersRequest.getDefaultInstance())
                        .getContainersList());
    }

    Finder(List<PodSandbox> pods, List<Container> containers) {
        this.pods = pods;
        this.containers = containers;
    }

    List<PodSandbox> pods() {
        return pods;
    }

    List<Container> containersOf(PodSandbox pod) {
        return containers.stream()
                .filter(c -> c.getPodSandboxId().equals(pod.getId()))
                .toList();
    }

    PodSandbox pod(String reference) {
        return findPod(reference).orElseThrow(() -> new CliException.NotFound("there is no pod " + reference));
    }

    Optional<PodSandbox> findPod(String reference) {
        Optional<PodSandbox> byId =
                pods.stream().filter(p -> p.getId().equals(reference)).findFirst();
        if (byId.isPresent()) {
            return byId;
        }
        List<PodSandbox> named = pods.stream()
                .filter(p -> names(p.getMetadata(), reference))
                .sorted(Comparator.comparingLong(PodSandbox::getCreatedAt).reversed())
                .toList();
        List<PodSandbox> ready = named.stream()
                .filter(p -> p.getState() == PodSandboxState.SANDBOX_READY)
                .toList();
        List<PodSandbox> found = ready.isEmpty() ? named : ready;
        return found.isEmpty()
                ? byPrefix("pod", pods, PodSandbox::getId, reference)
                : Optional.of(only("pod", reference, found, PodSandbox::getId));
    }

    Container container(String reference) {
        return findContainer(reference)
                .orElseThrow(() -> new CliException.NotFound("there is no container " + reference));
    }

    Optional<Container> findContainer(String reference) {
        Optional<Container> byId =
                containers.stream().filter(c -> c.getId().equals(reference)).findFirst();
        if (byId.isPresent()) {
            return byId;
        }
        Collection<Container> named = newestAttempts(containersNamed(reference));
        List<Container> running = named.stream()
                .filter(c -> c.getState() == ContainerState.CONTAINER_RUNNING)
                .toList();
        Collection<Container> found = running.isEmpty() ? named : running;
        return found.isEmpty()
                ? byPrefix("container", containers, Container::getId, reference)
                : Optional.of(only("container", reference, found, Container::getId));
    }

    private List<Container> containersNamed(String reference) {
        int slash = reference.lastIndexOf('/');
        String name = reference.substring(slash + 1);
        List<Container> named = containers.stream()
                .filter(c -> c.getMetadata().getName().equals(name))
                .toList();
        if (slash < 0) {
            return named;
        }
        String pod =
                findPod(reference.substring(0, slash)).map(PodSandbox::getId).orElse("");
        return named.stream().filter(c -> c.getPodSandboxId().equals(pod)).toList();
    }

    private static Collection<Container> newestAttempts(List<Container> named) {
        Map<String, Container> newest = new LinkedHashMap<>();
        for (Container c : named) {
            newest.merge(
                    c.getPodSandboxId(),
                    c,
                    (a, b) -> a.getMetadata().getAttempt() >= b.getMetadata().getAttempt() ? a : b);
        }
        return newest.values();
    }

    private static boolean names(PodSandboxMetadata pod, String reference) {
        return reference.equals(pod.getName()) || reference.equals(pod.getNamespace() + "/" + pod.getName());
    }

    private static <T> Optional<T> byPrefix(String kind, List<T> all, Function<T, String> id, String prefix) {
        List<T> found = prefix.isEmpty()
                ? List.of()
                : all.stream().filter(t -> id.apply(t).startsWith(prefix)).toList();
        return found.isEmpty() ? Optional.empty() : Optional.of(only(kind, prefix, found, id));
    }

    private static <T> T only(String kind, String reference, Collection<T> found, Function<T, String> id) {
        if (found.size() > 1) {
            List<String> ids = found.stream().map(id).map(Words::shortId).toList();
            throw new CliException.Failed(
                    "%s %s is ambiguous; it could be one of %s".formatted(kind, reference, String.join(", ", ids)));
        }
        return found.iterator().next();
    }
}
