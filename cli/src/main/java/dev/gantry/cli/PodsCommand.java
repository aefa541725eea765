package dev.gantry.cli;

import dev.gantry.cri.runtime.v1.ListPodSandboxRequest;
import dev.gantry.cri.runtime.v1.PodSandbox;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;

/// `gantry pods`: all pods, newest first.
final class PodsCommand implements Command {

    @Mixin
    private OutputOption output = new OutputOption();

    @Override
    public int run(Session session) {
        var listing = new Listing("POD", "NAMESPACE", "NAME", "STATE", "AGE", "HANDLER");
        try (Connection connection = session.connect()) {
            Instant now = Instant.now();
            connection.runtime().listPodSandbox(ListPodSandboxRequest.getDefaultInstance()).getItemsList().stream()
                    .sorted(Comparator.comparingLong(PodSandbox::getCreatedAt).reversed())
                    .forEach(pod -> add(listing, pod, now));
        }
        listing.print(session.terminal().out(), output.format);
        return ExitCode.OK.value();
    }

    private static void add(Listing listing, PodSandbox pod, Instant now) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("id", pod.getId());
        object.put("name", pod.getMetadata().getName());
        object.put("namespace", pod.getMetadata().getNamespace());
        object.put("uid", pod.getMetadata().getUid());
        object.put("attempt", pod.getMetadata().getAttempt());
        object.put("state", state(pod));
        object.put("createdAt", Words.instant(pod.getCreatedAt()).toString());
        object.put("runtimeHandler", pod.getRuntimeHandler());
        object.put("labels", pod.getLabelsMap());
        object.put("annotations", pod.getAnnotationsMap());
        listing.add(
                List.of(
                        Words.shortId(pod.getId()),
                        pod.getMetadata().getNamespace(),
                        pod.getMetadata().getName(),
                        state(pod),
                        Words.age(pod.getCreatedAt(), now),
                        pod.getRuntimeHandler().isEmpty() ? "(default)" : pod.getRuntimeHandler()),
                object);
    }

    private static String state(PodSandbox pod) {
        return Words.state(pod.getState());
    }
}
