package dev.gantry.runtime;

import dev.gantry.cri.oci.ImageConfig;
import dev.gantry.image.ArtifactFile;
import dev.gantry.image.Image;
import dev.gantry.sandbox.DnsConfig;
import dev.gantry.sandbox.NamespaceMode;
import dev.gantry.sandbox.RuntimeHandler;
import dev.gantry.sandbox.Sandbox;
import dev.gantry.sandbox.SandboxConfig;
import dev.gantry.sandbox.SandboxId;
import dev.gantry.sandbox.SandboxMetadata;
import dev.gantry.sandbox.SandboxNamespaces;
import dev.gantry.sandbox.SandboxSecurity;
import dev.gantry.sandbox.SandboxState;
import dev.gantry.sandbox.SecurityProfile;
import dev.gantry.sandbox.SelinuxLabel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Pods and images for tests of what is made in and of them.
final class TestPods {

    static final int PAUSE_PID = 4242;

    static final SandboxNamespaces HOST =
            new SandboxNamespaces(NamespaceMode.NODE, NamespaceMode.NODE, NamespaceMode.NODE);

    /// A node without images: the tests bring theirs themselves.
    static final ImageSource NO_IMAGES = new ImageSource() {

        @Override
        public Optional<Image> find(String reference) {
            return Optional.empty();
        }

        @Override
        public ImageContent content(Image image, RuntimeHandler handler, String reference) {
            throw new AssertionError("there is no image " + reference);
        }

        @Override
        public List<Path> layers(Image image, String snapshotter) {
            throw new AssertionError("there is no image " + image.id());
        }

        @Override
        public Path root(String snapshotter) {
            throw new AssertionError("there is no snapshotter " + snapshotter);
        }

        @Override
        public List<ArtifactFile> files(Image artifact) {
            throw new AssertionError("there is no artifact " + artifact.id());
        }

        @Override
        public void place(ArtifactFile file, Path target) {
            throw new AssertionError("there is no file " + file.path());
        }
    };

    private TestPods() {}

    static Sandbox sandbox() {
        return sandbox(SandboxNamespaces.OWN, false, Map.of());
    }

    static Sandbox sandbox(SandboxNamespaces namespaces, boolean privileged, Map<String, String> annotations) {
        SandboxSecurity security = new SandboxSecurity(
                namespaces,
                privileged,
                OptionalLong.empty(),
                OptionalLong.empty(),
                List.of(),
                false,
                false,
                new SecurityProfile.Unconfined(),
                new SecurityProfile.Unconfined(),
                SelinuxLabel.NONE);
        SandboxConfig config = new SandboxConfig(
                new SandboxMetadata("web", "default", "u-1", 0),
                namespaces.hostNetwork() ? "" : "web-0",
                "",
                DnsConfig.HOST,
                List.of(),
                Map.of(),
                annotations,
                "",
                Map.of(),
                security,
                Optional.empty(),
                Optional.empty());
        return new Sandbox(
                SandboxId.random(),
                config,
                "runc",
                SandboxState.READY,
                Instant.EPOCH,
                "/gantry/pod",
                true,
                "boot",
                PAUSE_PID,
                List.of("10.0.0.2"),
                "overlayfs",
                "pause",
                SelinuxLabel.NONE);
    }

    /// An image without files.
    static ImageContent image(ImageConfig.Execution config) {
        return image(config, List.of());
    }

    static ImageContent image(ImageConfig.Execution config, List<Path> layers) {
        return new ImageContent("example.org/app:1", config, "overlayfs/" + layers, () -> layers);
    }

    /// The image configuration that says nothing.
    static ImageConfig.Execution nothing() {
        return execution("", List.of(), List.of(), List.of());
    }

    static ImageConfig.Execution execution(String user, List<String> env, List<String> entrypoint, List<String> cmd) {
        return new ImageConfig.Execution(user, List.of(), env, entrypoint, cmd, List.of(), "", Map.of(), "", false);
    }

    static ImageConfig.Execution withVolumes(String... volumes) {
        return new ImageConfig.Execution(
                "", List.of(), List.of(), List.of("/app"), List.of(), List.of(volumes), "", Map.of(), "", false);
    }

    static ImageConfig.Execution with(String workingDir, String stopSignal) {
        return new ImageConfig.Execution(
                "",
                List.of(),
                List.of(),
                List.of("/app"),
                List.of(),
                List.of(),
                workingDir,
                Map.of(),
                stopSignal,
                false);
    }
}
