package dev.gantry.runtime;

import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MalformedDocumentException;
import dev.gantry.cri.oci.Resources;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A bundle's `config.json` with other limits.
///
/// Everything else stays as it was written, also what our records of the specification do not know.
final class LimitedSpec {

    private static final String DOCUMENT = "config.json";
    /// What an update may change; rules for devices are no limits.
    private static final List<String> LIMITS = List.of("cpu", "memory", "hugepageLimits");
    /// Files of the cgroup by their names; those of the handler's base spec are among them, which no request names.
    private static final String FILES = "unified";

    private LimitedSpec() {}

    static byte[] of(byte[] spec, Resources limits, long oomScore) {
        Object document = Json.parse(spec, DOCUMENT);
        Map<String, @Nullable Object> resources = object(object(document, "linux"), "resources");
        Map<String, @Nullable Object> changed = object(Json.parse(limits.toJson(), "resources"));
        for (String limit : LIMITS) {
            resources.remove(limit);
            if (changed.get(limit) != null) {
                resources.put(limit, changed.get(limit));
            }
        }
        if (changed.get(FILES) != null) {
            Map<String, @Nullable Object> files =
                    new LinkedHashMap<>(resources.get(FILES) == null ? Map.of() : object(resources, FILES));
            files.putAll(object(changed, FILES));
            resources.put(FILES, files);
        }
        object(document, "process").put("oomScoreAdj", oomScore);
        return Json.write(document);
    }

    private static Map<String, @Nullable Object> object(@Nullable Object parent, String member) {
        return object(object(parent).get(member));
    }

    @SuppressWarnings("unchecked") // Json makes maps of nothing else
    private static Map<String, @Nullable Object> object(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            return (Map<String, @Nullable Object>) map;
        }
        throw new MalformedDocumentException(DOCUMENT, "an object is missing");
    }
}
