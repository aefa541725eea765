package dev.gantry.daemon;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A part of a JSON document.
record JsonTree(@Nullable Object value) {

    /// Steps down by the names of members and the numbers of items; what is not there is null.
    JsonTree at(Object... path) {
        Object part = value;
        for (Object step : path) {
            part = switch (part) {
                case Map<?, ?> map when step instanceof String -> map.get(step);
                case List<?> list when step instanceof Integer number && number < list.size() -> list.get(number);
                case null, default -> null;
            };
        }
        return new JsonTree(part);
    }

    String text() {
        return String.valueOf(value);
    }

    List<JsonTree> items() {
        return value instanceof List<?> list ? list.stream().map(JsonTree::new).toList() : List.of();
    }
}
