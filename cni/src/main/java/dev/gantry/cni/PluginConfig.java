package dev.gantry.cni;

import dev.gantry.cri.oci.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// One plugin of a network: its program's name and everything that its configuration says.
record PluginConfig(String type, JsonObject json) {

    private static final Pattern TYPE = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*");

    /// @throws JsonObject.WrongType when it names no program; a path is none
    static PluginConfig of(JsonObject json) {
        String type = json.text("type").orElse("");
        if (!TYPE.matcher(type).matches()) {
            throw new JsonObject.WrongType(
                    type.isEmpty() ? "a plugin has no 'type'" : "'" + type + "' is no plugin type");
        }
        json.object("capabilities");
        return new PluginConfig(type, json);
    }

    /// What the plugin reads from its standard input (specification, section 3, "Deriving execution
    /// configuration").
    ///
    /// @param wishes the pod's capabilities; those that the plugin declares are passed on
    /// @param previous the result before it in the chain, or of the whole chain
    byte[] input(String network, CniVersion version, JsonObject wishes, Optional<JsonObject> previous) {
        Map<String, @Nullable Object> input = new LinkedHashMap<>(json.members());
        input.put("name", network);
        input.put("cniVersion", version.toString());
        input.remove("capabilities");
        Map<String, @Nullable Object> granted = new LinkedHashMap<>();
        json.object("capabilities")
                .ifPresent(declared -> wishes.members().forEach((name, value) -> {
                    if (declared.flag(name)) {
                        granted.put(name, value);
                    }
                }));
        if (!granted.isEmpty()) {
            input.put("runtimeConfig", granted);
        }
        previous.ifPresent(result -> input.put("prevResult", result.members()));
        return Json.write(input);
    }
}
