package dev.gantry.runtime;

import dev.gantry.cri.oci.MalformedDocumentException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.schema.JsonSchema;

/// One YAML document as the plain values that [dev.gantry.cri.oci.Json] makes; whatever JSON cannot say is refused.
///
/// The library is loaded when the first such document is read, which few nodes ever do.
final class Yaml {

    private static final int MAX_DEPTH = 64;
    private static final int MAX_VALUES = 100_000;

    private int values;

    private Yaml() {}

    /// @throws MalformedDocumentException if it is not one YAML document
    static @Nullable Object parse(byte[] bytes, String document) {
        // A number such as 0660 means this in one version and that in another: here it is text, and so refused.
        LoadSettings settings = LoadSettings.builder()
                .setSchema(new JsonSchema())
                .setAllowDuplicateKeys(false)
                .setMaxAliasesForCollections(50)
                .setCodePointLimit(bytes.length + 1)
                .build();
        try {
            return new Yaml().plain(new Load(settings).loadFromString(new String(bytes, StandardCharsets.UTF_8)), 0);
        } catch (YamlEngineException | IllegalArgumentException e) {
            throw new MalformedDocumentException(
                    document, String.valueOf(e.getMessage()).strip().replaceAll("\\s*\\n\\s*", "; "), e);
        }
    }

    /// Counting also bounds what aliases of aliases expand to.
    private @Nullable Object plain(@Nullable Object value, int depth) {
        if (++values > MAX_VALUES || depth > MAX_DEPTH) {
            throw new IllegalArgumentException("it has too many values or is nested too deep");
        }
        return switch (value) {
            case null -> null;
            case String _, Boolean _, Long _, BigDecimal _ -> value;
            case Integer number -> number.longValue();
            case BigInteger number -> new BigDecimal(number);
            case Double number -> BigDecimal.valueOf(number);
            case List<?> list -> list(list, depth);
            case Map<?, ?> map -> map(map, depth);
            default ->
                throw new IllegalArgumentException(
                        "it holds a " + value.getClass().getSimpleName());
        };
    }

    private List<@Nullable Object> list(List<?> list, int depth) {
        List<@Nullable Object> plain = new ArrayList<>(list.size());
        for (Object value : list) {
            plain.add(plain(value, depth + 1));
        }
        return plain;
    }

    private Map<String, @Nullable Object> map(Map<?, ?> map, int depth) {
        Map<String, @Nullable Object> plain = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            if (!(key instanceof String name)) {
                throw new IllegalArgumentException("it has a key that is not text: " + key);
            }
            plain.put(name, plain(value, depth + 1));
        });
        return plain;
    }
}
