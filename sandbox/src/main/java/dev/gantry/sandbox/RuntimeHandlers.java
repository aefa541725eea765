package dev.gantry.sandbox;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/// The configured runtime handlers; the empty name means the default one.
public final class RuntimeHandlers {

    private final Map<String, RuntimeHandler> handlers = new LinkedHashMap<>();
    private final String defaultName;

    public RuntimeHandlers(Collection<RuntimeHandler> handlers, String defaultName) {
        handlers.forEach(it -> this.handlers.put(it.name(), it));
        this.defaultName = defaultName;
        if (!this.handlers.containsKey(defaultName)) {
            throw new IllegalArgumentException("the default runtime handler %s is not among the configured ones %s"
                    .formatted(defaultName, this.handlers.keySet()));
        }
    }

    /// The handler of that name.
    public RuntimeHandler get(String name) {
        RuntimeHandler handler = handlers.get(name.isEmpty() ? defaultName : name);
        if (handler == null) {
            throw new SandboxException.InvalidRequest(
                    "runtime handler \"%s\" is not configured; there are %s".formatted(name, handlers.keySet()));
        }
        return handler;
    }

    public Collection<RuntimeHandler> all() {
        return handlers.values();
    }

    public RuntimeHandler defaultHandler() {
        return get(defaultName);
    }
}
