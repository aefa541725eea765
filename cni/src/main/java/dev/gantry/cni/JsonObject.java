package dev.gantry.cni;

import dev.gantry.cri.oci.Json;
import dev.gantry.cri.oci.MalformedDocumentException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The members of a JSON object, asked for by type. A member of another type is a [WrongType].
record JsonObject(Map<String, @Nullable Object> members) {

    /// The document, or a part of it, is not of the shape that is wanted.
    static final class WrongType extends RuntimeException {
        WrongType(String message) {
            super(message);
        }
    }

    static JsonObject parse(byte[] bytes) {
        try {
            return of(Json.parse(bytes), "the document");
        } catch (MalformedDocumentException e) {
            WrongType failure = new WrongType(String.valueOf(e.getMessage()));
            failure.initCause(e);
            throw failure;
        }
    }

    static JsonObject of(@Nullable Object value, String what) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new WrongType(what + " is no object");
        }
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        map.forEach((key, member) -> members.put(String.valueOf(key), member));
        return new JsonObject(members);
    }

    /// Empty when absent, or null.
    Optional<String> text(String name) {
        Object value = members.get(name);
        if (value != null && !(value instanceof String)) {
            throw new WrongType("'" + name + "' is no string");
        }
        return Optional.ofNullable((String) value);
    }

    /// Plugins' configurations are written by hand, and `"true"` is accepted as libcni does.
    boolean flag(String name) {
        Object value = members.get(name);
        return switch (value) {
            case null -> false;
            case Boolean flag -> flag;
            case String text when text.equalsIgnoreCase("true") -> true;
            case String text when text.equalsIgnoreCase("false") -> false;
            default -> throw new WrongType("'" + name + "' is no boolean");
        };
    }

    Optional<Long> number(String name) {
        Object value = members.get(name);
        if (value != null && !(value instanceof Long)) {
            throw new WrongType("'" + name + "' is no whole number");
        }
        return Optional.ofNullable((Long) value);
    }

    Optional<JsonObject> object(String name) {
        Object value = members.get(name);
        return value == null ? Optional.empty() : Optional.of(of(value, "'" + name + "'"));
    }

    List<JsonObject> objects(String name) {
        List<JsonObject> objects = new ArrayList<>();
        for (Object element : list(name)) {
            objects.add(of(element, "an element of '" + name + "'"));
        }
        return objects;
    }

    List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        for (Object element : list(name)) {
            if (!(element instanceof String text)) {
                throw new WrongType("an element of '" + name + "' is no string");
            }
            texts.add(text);
        }
        return texts;
    }

    byte[] bytes() {
        return Json.write(members);
    }

    private List<?> list(String name) {
        Object value = members.get(name);
        return switch (value) {
            case null -> List.of();
            case List<?> list -> list;
            default -> throw new WrongType("'" + name + "' is no list");
        };
    }
}
