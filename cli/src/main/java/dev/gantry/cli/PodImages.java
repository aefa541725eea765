package dev.gantry.cli;

import dev.gantry.cri.gantry.v1.PullRequest;
import dev.gantry.cri.runtime.v1.Image;
import dev.gantry.cri.runtime.v1.ImageSpec;
import dev.gantry.cri.runtime.v1.ImageStatusRequest;
import io.fabric8.kubernetes.api.model.Container;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Gets the images of a pod, by the policy of each container.
final class PodImages {

    private final Connection connection;
    private final Terminal terminal;

    PodImages(Connection connection, Terminal terminal) {
        this.connection = connection;
        this.terminal = terminal;
    }

    /// The images by their names in the manifest.
    Map<String, Image> get(List<Container> containers) {
        Map<String, Image> images = new HashMap<>();
        for (Container container : containers) {
            String name = container.getImage();
            String policy = policy(container);
            Optional<Image> there = Optional.ofNullable(images.get(name)).or(() -> find(name));
            if (there.isEmpty() && policy.equals("Never")) {
                throw new CliException.Failed("image %s of container %s is not on this node, and must not be pulled"
                        .formatted(name, container.getName()));
            }
            boolean pull = policy.equals("Always") ? !images.containsKey(name) : there.isEmpty();
            images.put(name, pull ? pull(name) : there.orElseThrow());
        }
        return images;
    }

    /// As Kubernetes has it: an image whose tag may move is asked for again each time.
    private static String policy(Container container) {
        if (container.getImagePullPolicy() != null) {
            return container.getImagePullPolicy();
        }
        String image = container.getImage();
        String last = image.substring(image.lastIndexOf('/') + 1);
        boolean moves = !image.contains("@") && (!last.contains(":") || last.endsWith(":latest"));
        return moves ? "Always" : "IfNotPresent";
    }

    private Image pull(String name) {
        String id = ImagePull.run(
                connection, PullRequest.newBuilder().setImage(name).build(), PullView.on(terminal));
        return find(id).orElseThrow(() ->
                new CliException.Failed("image %s was pulled, but the daemon does not know it".formatted(name)));
    }

    private Optional<Image> find(String name) {
        var response = connection
                .images()
                .imageStatus(ImageStatusRequest.newBuilder()
                        .setImage(ImageSpec.newBuilder().setImage(name))
                        .build());
        return response.hasImage() ? Optional.of(response.getImage()) : Optional.empty();
    }
}
