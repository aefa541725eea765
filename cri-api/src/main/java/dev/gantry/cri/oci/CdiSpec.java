package dev.gantry.cri.oci;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Devices of one vendor and class, and what a container needs to use them
/// ([Container Device Interface](https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md)).
///
/// ```json
/// {"cdiVersion": "0.6.0", "kind": "vendor.com/gpu",
///  "devices": [{"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/gpu0"}]}}],
///  "containerEdits": {"env": ["GPU=yes"]}}
/// ```
///
/// @param edits made once for a container, whichever of the devices it gets
/// @param devices by name
public record CdiSpec(String kind, CdiEdits edits, Map<String, CdiEdits> devices) {

    private static final List<String> VERSIONS =
            List.of("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0");
    private static final Pattern VENDOR = Pattern.compile("[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?");
    private static final Pattern CLASS = Pattern.compile("[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?");
    private static final int MAX_NAME = 253;

    public CdiSpec {
        devices = Ordered.copyOf(devices);
    }

    /// @param value what [Json#parse(byte[])] makes of the document
    /// @throws MalformedDocumentException when a member is unknown, wrong, or newer than the version that it names
    public static CdiSpec read(@Nullable Object value, String document) {
        Members in = Members.of(value, document).only("cdiVersion", "kind", "annotations", "devices", "containerEdits");
        String kind = in.requiredText("kind");
        if (!isKind(kind)) {
            throw in.wrong("kind", "is \"%s\", not a vendor and a class as in vendor.com/gpu".formatted(kind));
        }
        CdiEdits common = CdiEdits.orNone(in.object("containerEdits", CdiEdits::read));
        Map<String, CdiEdits> devices = new LinkedHashMap<>();
        boolean annotated = in.has("annotations");
        for (Device device : in.objects("devices", Device::read)) {
            if (devices.put(device.name, device.edits) != null) {
                throw in.wrong("devices", "names %s twice".formatted(device.name));
            }
            annotated |= device.annotated;
        }
        if (devices.isEmpty()) {
            throw in.wrong("devices", "is empty");
        }
        CdiSpec spec = new CdiSpec(kind, common, devices);
        checkVersion(in, spec.leastVersion(annotated));
        return spec;
    }

    private static void checkVersion(Members in, String least) {
        String version = in.requiredText("cdiVersion").replaceFirst("^v", "");
        if (!VERSIONS.contains(version)) {
            throw in.wrong("cdiVersion", "is %s; known are %s".formatted(version, VERSIONS));
        }
        if (VERSIONS.indexOf(version) < VERSIONS.indexOf(least)) {
            throw in.wrong("cdiVersion", "is %s, but the document uses what came with %s".formatted(version, least));
        }
    }

    private String leastVersion(boolean annotated) {
        String least = "0.1.0";
        for (CdiEdits edit : devices.values()) {
            least = later(least, edit.leastVersion());
        }
        least = later(least, edits.leastVersion());
        if (annotated || kind.indexOf('.', kind.indexOf('/')) > 0) {
            least = later(least, "0.6.0");
        }
        if (devices.keySet().stream().anyMatch(it -> Character.isDigit(it.charAt(0)))) {
            least = later(least, "0.5.0");
        }
        return least;
    }

    static String later(String one, String other) {
        return VERSIONS.indexOf(one) > VERSIONS.indexOf(other) ? one : other;
    }

    /// Whether it is a vendor and a class, as in `vendor.com/gpu`.
    public static boolean isKind(String text) {
        int slash = text.indexOf('/');
        return slash > 0
                && text.length() <= MAX_NAME
                && VENDOR.matcher(text.substring(0, slash)).matches()
                && CLASS.matcher(text.substring(slash + 1)).matches();
    }

    /// Whether a device can be called so.
    public static boolean isName(String text) {
        return text.length() <= MAX_NAME && NAME.matcher(text).matches();
    }

    private record Device(String name, CdiEdits edits, boolean annotated) {

        static Device read(Members in) {
            String name = in.only("name", "annotations", "containerEdits").requiredText("name");
            if (!isName(name)) {
                throw in.wrong("name", "is \"%s\", which is not the name of a device".formatted(name));
            }
            CdiEdits edits = in.requiredObject("containerEdits", CdiEdits::read);
            if (edits.equals(CdiEdits.NONE)) {
                throw in.wrong("containerEdits", "is empty");
            }
            return new Device(name, edits, in.has("annotations"));
        }
    }
}
