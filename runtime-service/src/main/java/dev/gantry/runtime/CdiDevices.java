package dev.gantry.runtime;

import dev.gantry.cri.oci.CdiEdits;
import dev.gantry.cri.oci.CdiSpec;
import dev.gantry.cri.runtime.v1.CDIDevice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/// Finds devices that a request names as CDI has it: `vendor.com/class=name`.
///
/// By the field of the request alone: annotations, which pods choose themselves, name no devices (CVE-2026-53492).
final class CdiDevices {

    private final CdiFiles files;

    CdiDevices(List<Path> directories) {
        this.files = new CdiFiles(directories);
    }

    /// What the container needs for these devices, in the order in which it is to be made.
    ///
    /// @throws ContainerException.InvalidRequest when one is not there, or two files of one directory have it
    List<CdiEdits> find(List<CDIDevice> wanted) {
        if (wanted.isEmpty()) {
            return List.of();
        }
        CdiFiles.Content content = files.read();
        Set<CdiSpec> used = new LinkedHashSet<>();
        List<CdiEdits> edits = new ArrayList<>();
        for (String name : wanted.stream().map(CDIDevice::getName).distinct().toList()) {
            int equals = name.indexOf('=');
            if (equals < 0
                    || !CdiSpec.isKind(name.substring(0, equals))
                    || !CdiSpec.isName(name.substring(equals + 1))) {
                throw new ContainerException.InvalidRequest(
                        "\"%s\" is not the name of a CDI device as in vendor.com/gpu=0".formatted(name));
            }
            CdiSpec spec = find(name, content);
            if (used.add(spec)) {
                edits.add(spec.edits());
            }
            edits.add(device(spec, name));
        }
        return edits;
    }

    private static CdiEdits device(CdiSpec spec, String name) {
        return Objects.requireNonNull(spec.devices().get(name.substring(name.indexOf('=') + 1)));
    }

    private CdiSpec find(String name, CdiFiles.Content content) {
        String kind = name.substring(0, name.indexOf('='));
        String device = name.substring(name.indexOf('=') + 1);
        List<CdiFiles.Found> having = content.specs().stream()
                .filter(it ->
                        it.spec().kind().equals(kind) && it.spec().devices().containsKey(device))
                .toList();
        int highest = having.stream().mapToInt(CdiFiles.Found::precedence).max().orElse(0);
        List<CdiFiles.Found> best =
                having.stream().filter(it -> it.precedence() == highest).toList();
        if (best.isEmpty()) {
            throw new ContainerException.InvalidRequest(notFound(name, content));
        }
        if (best.size() > 1) {
            throw new ContainerException.InvalidRequest("CDI device %s is in several files of one directory: %s"
                    .formatted(
                            name, best.stream().map(it -> it.file().toString()).collect(Collectors.joining(", "))));
        }
        return best.getFirst().spec();
    }

    private String notFound(String name, CdiFiles.Content content) {
        String text = files.directories().isEmpty()
                ? "CDI device %s: the configuration names no directories for CDI".formatted(name)
                : "CDI device %s is in no file in %s".formatted(name, files.directories());
        return content.problems().isEmpty()
                ? text
                : text + "; files that cannot be used: " + String.join("; ", content.problems());
    }
}
