package dev.gantry.cni;

import dev.gantry.cri.oci.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A network: a chain of plugins that is run in order to attach and in reverse to detach.
///
/// Example: `{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "bridge", "ipam": {…}},
/// {"type": "portmap", "capabilities": {"portMappings": true}}]}`.
record NetworkConfig(
        String name,
        CniVersion version,
        boolean disableCheck,
        boolean loadOnlyInlinedPlugins,
        List<PluginConfig> plugins) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");

    NetworkConfig {
        plugins = List.copyOf(plugins);
    }

    /// A list of plugins, the content of a `.conflist`.
    ///
    /// @throws JsonObject.WrongType when it cannot be used
    static NetworkConfig ofList(JsonObject list) {
        return new NetworkConfig(
                name(list),
                version(list),
                list.flag("disableCheck"),
                list.flag("loadOnlyInlinedPlugins"),
                list.objects("plugins").stream().map(PluginConfig::of).toList());
    }

    /// A single plugin, the content of a `.conf`: a list of one.
    static NetworkConfig ofPlugin(JsonObject plugin) {
        if (plugin.members().containsKey("plugins")) {
            throw new JsonObject.WrongType("it is a list, whose file must be called .conflist");
        }
        return new NetworkConfig(name(plugin), version(plugin), false, true, List.of(PluginConfig.of(plugin)));
    }

    /// The saved form, whole in itself.
    static NetworkConfig ofSaved(byte[] saved, String containerId) {
        try {
            return ofList(JsonObject.parse(saved));
        } catch (JsonObject.WrongType e) {
            throw new CniException.MalformedConfig(
                    "saved for container " + containerId, String.valueOf(e.getMessage()));
        }
    }

    byte[] saved() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("cniVersion", version.toString());
        json.put("name", name);
        json.put("disableCheck", disableCheck);
        json.put("loadOnlyInlinedPlugins", true);
        json.put(
                "plugins",
                plugins.stream().map(plugin -> plugin.json().members()).toList());
        return Json.write(json);
    }

    NetworkConfig with(List<PluginConfig> more) {
        List<PluginConfig> all = new ArrayList<>(plugins);
        all.addAll(more);
        return new NetworkConfig(name, version, disableCheck, loadOnlyInlinedPlugins, all);
    }

    /// The name becomes the name of a folder and of plugins' files.
    private static String name(JsonObject json) {
        String name = json.text("name").orElse("");
        if (!NAME.matcher(name).matches()) {
            throw new JsonObject.WrongType(name.isEmpty() ? "it has no 'name'" : "'" + name + "' is no network name");
        }
        return name;
    }

    private static CniVersion version(JsonObject json) {
        Set<String> offered = new LinkedHashSet<>(json.texts("cniVersions"));
        json.text("cniVersion").ifPresent(offered::add);
        Optional<CniVersion> version = CniVersion.newest(offered);
        return version.orElseThrow(() -> new JsonObject.WrongType(
                offered.isEmpty()
                        ? "it has no 'cniVersion'"
                        : "its cniVersion " + String.join(", ", offered) + " is not one of "
                                + List.of(CniVersion.values())));
    }
}
