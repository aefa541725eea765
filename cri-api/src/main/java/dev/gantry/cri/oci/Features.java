package dev.gantry.cri.oci;

import java.util.List;
import java.util.Map;

/// What an OCI runtime says it can do: the answer to its `features` command (runtime specification, «Features»).
///
/// ```json
/// {"ociVersionMin": "1.0.0", "ociVersionMax": "1.3.0", "mountOptions": ["bind", "rro"],
///  "linux": {"namespaces": ["user", "network"], "mountExtensions": {"idmap": {"enabled": true}}},
///  "annotations": {"org.opencontainers.runc.version": "1.5.2"}}
/// ```
///
/// @param idmap whether mounts may have id mappings of their own
public record Features(
        List<String> mountOptions, List<String> namespaces, boolean idmap, Map<String, String> annotations) {

    /// Of a runtime that does not say.
    public static final Features NONE = new Features(List.of(), List.of(), false, Map.of());

    public Features {
        mountOptions = List.copyOf(mountOptions);
        namespaces = List.copyOf(namespaces);
        annotations = Map.copyOf(annotations);
    }

    /// @throws MalformedDocumentException if it is no such answer
    public static Features parse(byte[] bytes, String document) {
        Members in = Members.of(bytes, document);
        OfLinux linux = in.object("linux", OfLinux::read);
        return new Features(
                in.texts("mountOptions"),
                linux == null ? List.of() : linux.namespaces(),
                linux != null && linux.idmap(),
                in.map("annotations"));
    }

    private record OfLinux(List<String> namespaces, boolean idmap) {

        static OfLinux read(Members in) {
            return new OfLinux(
                    in.texts("namespaces"), Boolean.TRUE.equals(in.object("mountExtensions", OfLinux::hasIdmap)));
        }

        private static boolean hasIdmap(Members extensions) {
            return Boolean.TRUE.equals(extensions.object("idmap", idmap -> Boolean.TRUE.equals(idmap.flag("enabled"))));
        }
    }
}
