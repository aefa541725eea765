package dev.gantry.daemon;

import dev.gantry.cri.oci.MalformedDocumentException;
import dev.gantry.cri.oci.OciProcess;
import dev.gantry.cri.oci.Spec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A runtime handler, as a RuntimeClass names it.
///
/// @param shim name or absolute path of the shim's binary
/// @param binary name or absolute path of the OCI runtime that the shim calls; empty if it calls none
/// @param root where the OCI runtime keeps its state
/// @param snapshotter empty for `storage.snapshotter`
/// @param allowedAnnotations of a pod, handed to the runtime: globs
/// @param allowedContainerAnnotations of a container
/// @param baseSpec what the specs of containers start from
/// @param hostDevices whether privileged containers have the host's devices
/// @param writableCgroup whether containers may divide their own cgroup of version 2
/// @param configuration of a shim that calls no OCI runtime
record HandlerSettings(
        String shim,
        String binary,
        Path root,
        String snapshotter,
        List<String> allowedAnnotations,
        List<String> allowedContainerAnnotations,
        Optional<Spec> baseSpec,
        boolean hostDevices,
        boolean writableCgroup,
        ShimConfiguration configuration) {

    static final String RUNC = "runc";
    private static final int MAX_SPEC = 1 << 20;

    /// @param path of a file, or empty
    /// @param body its text, or empty
    record ShimConfiguration(String type, String path, String body) {

        static final ShimConfiguration NONE = new ShimConfiguration("", "", "");
    }

    static HandlerSettings read(Section section, Path state) {
        HandlerSettings handler = new HandlerSettings(
                section.string("shim", "containerd-shim-gantry-v1"),
                section.string("binary", RUNC),
                section.path("root", state.resolve(RUNC)),
                section.choice("snapshotter", "", List.of("", "overlayfs", "native")),
                section.strings("allowed_annotations", List.of()),
                section.strings("allowed_container_annotations", List.of()),
                baseSpec(section),
                !section.flag("privileged_without_host_devices", false),
                section.flag("cgroup_writable", false),
                new ShimConfiguration(
                        section.string("config_type", ""),
                        section.string("config_path", ""),
                        section.string("config_body", "")));
        if (!handler.binary.isEmpty() && !handler.configuration.equals(ShimConfiguration.NONE)) {
            section.problem(
                    "binary",
                    "must be \"\" for a shim with a configuration of its own (config_type, config_path, config_body)");
        }
        section.end();
        return handler;
    }

    private static Optional<Spec> baseSpec(Section section) {
        String key = "base_spec";
        String file = section.string(key, "");
        if (file.isEmpty()) {
            return Optional.empty();
        }
        try {
            Path path = Path.of(file);
            if (!path.isAbsolute() || Files.size(path) > MAX_SPEC) {
                section.problem(key, "must be the absolute path of a file of at most %d bytes".formatted(MAX_SPEC));
                return Optional.empty();
            }
            Spec spec = Spec.parse(Files.readAllBytes(path), file);
            nameless(spec)
                    .ifPresent(it -> section.problem(
                            key, "has the environment variable \"%s\", which is not NAME=VALUE".formatted(it)));
            return Optional.of(spec);
        } catch (IOException | IllegalArgumentException | MalformedDocumentException e) {
            section.problem(key, "is not the path of a spec: " + e);
            return Optional.empty();
        }
    }

    /// A variable that could be neither replaced nor found by its name.
    private static Optional<String> nameless(Spec spec) {
        OciProcess process = spec.process();
        return process == null
                ? Optional.empty()
                : process.env().stream().filter(it -> it.indexOf('=') < 1).findFirst();
    }
}
