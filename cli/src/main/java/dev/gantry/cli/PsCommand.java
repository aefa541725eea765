package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.Container;
import dev.gantry.cri.runtime.v1.ContainerState;
import dev.gantry.cri.runtime.v1.ListContainersRequest;
import dev.gantry.cri.runtime.v1.ListPodSandboxRequest;
import dev.gantry.cri.runtime.v1.PodSandbox;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `gantry ps`: the containers, newest first, with the names of their pods.
final class PsCommand implements Command {

    @Option(
            names = {"-a", "--all"},
            description = "Also those that ended.")
    private boolean all;

    @Mixin
    private OutputOption output = new OutputOption();

    @Override
    public int run(Session session) {
        var listing = new Listing("CONTAINER", "POD", "NAME", "STATE", "ATTEMPT", "AGE", "IMAGE");
        try (Connection connection = session.connect()) {
            Map<String, PodSandbox> pods = new HashMap<>();
            for (PodSandbox pod : connection
                    .runtime()
                    .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                    .getItemsList()) {
                pods.put(pod.getId(), pod);
            }
            Instant now = Instant.now();
            connection.runtime().listContainers(ListContainersRequest.getDefaultInstance()).getContainersList().stream()
                    .filter(c -> all || c.getState() == ContainerState.CONTAINER_RUNNING)
                    .sorted(Comparator.comparingLong(Container::getCreatedAt).reversed())
                    .forEach(c -> add(
                            listing, c, pods.getOrDefault(c.getPodSandboxId(), PodSandbox.getDefaultInstance()), now));
        }
        listing.print(session.terminal().out(), output.format);
        return ExitCode.OK.value();
    }

    private static void add(Listing listing, Container c, PodSandbox pod, Instant now) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("id", c.getId());
        object.put("name", c.getMetadata().getName());
        object.put("attempt", c.getMetadata().getAttempt());
        object.put("state", Words.state(c.getState()));
        object.put("createdAt", Words.instant(c.getCreatedAt()).toString());
        object.put("image", image(c));
        object.put("imageId", c.getImageId());
        object.put("pod", pod.getMetadata().getName());
        object.put("namespace", pod.getMetadata().getNamespace());
        object.put("podId", c.getPodSandboxId());
        object.put("labels", c.getLabelsMap());
        object.put("annotations", c.getAnnotationsMap());
        listing.add(
                List.of(
                        Words.shortId(c.getId()),
                        pod.getMetadata().getName(),
                        c.getMetadata().getName(),
                        Words.state(c.getState()),
                        Integer.toUnsignedString(c.getMetadata().getAttempt()),
                        Words.age(c.getCreatedAt(), now),
                        image(c)),
                object);
    }

    /// What the user wrote, where the client that made the container passed it on.
    private static String image(Container c) {
        String written = c.getImage().getUserSpecifiedImage();
        return written.isEmpty() ? c.getImage().getImage() : written;
    }
}
