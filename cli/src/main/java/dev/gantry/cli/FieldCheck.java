package dev.gantry.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.kubernetes.api.model.KubernetesResource;
import io.fabric8.kubernetes.api.model.Pod;
import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Finds the fields of a manifest that Kubernetes does not know (the model has no such property),
/// and those that it knows and [SupportedFields] does not. Fields without content are let pass:
/// `securityContext: {}` asks for nothing.
final class FieldCheck {

    private final Map<String, String> problems = new LinkedHashMap<>();

    private FieldCheck() {}

    /// The problems by the path of their field, in the order of the manifest.
    static Map<String, String> of(Map<?, ?> manifest) {
        var check = new FieldCheck();
        check.object(manifest, Pod.class, "", "");
        return check.problems;
    }

    /// `path` leads to a value of this manifest, `pattern` is the same without the positions in lists.
    private void value(@Nullable Object value, Type type, String path, String pattern) {
        Set<String> allowed = SupportedFields.allowedValues(pattern);
        if (isEmpty(value)) {
            return;
        }
        if (!SupportedFields.knows(pattern)) {
            problems.put(path, path + " is not supported");
        } else if (!allowed.isEmpty() && !allowed.contains(String.valueOf(value))) {
            problems.put(path, "%s can only be %s, not %s".formatted(path, String.join(" or ", allowed), value));
        } else if (value instanceof Map<?, ?> map) {
            object(map, type, path, pattern);
        } else if (value instanceof Collection<?> items) {
            int i = 0;
            for (Object item : items) {
                value(item, argument(type, 0), path + "[" + i++ + "]", pattern + "[]");
            }
        }
    }

    private void object(Map<?, ?> object, Type type, String path, String pattern) {
        boolean free = type instanceof ParameterizedType p && p.getRawType() == Map.class;
        if (!free && !(type instanceof Class<?> c && KubernetesResource.class.isAssignableFrom(c))) {
            return; // a scalar is wanted: the mapper says so
        }
        object.forEach((key, value) -> {
            String inner = path.isEmpty() ? String.valueOf(key) : path + "." + key;
            if (free) {
                String named = pattern + "." + key;
                value(value, argument(type, 1), inner, SupportedFields.knows(named) ? named : pattern + ".*");
                return;
            }
            Field field = property((Class<?>) type, String.valueOf(key));
            if (field == null) {
                problems.put(inner, inner + " is no field of a Pod");
            } else {
                value(value, field.getGenericType(), inner, pattern.isEmpty() ? "" + key : pattern + "." + key);
            }
        });
    }

    private static boolean isEmpty(@Nullable Object value) {
        return switch (value) {
            case null -> true;
            case Map<?, ?> map -> map.isEmpty();
            case List<?> list -> list.isEmpty();
            default -> false;
        };
    }

    private static @Nullable Field property(Class<?> model, String name) {
        for (Field field : model.getDeclaredFields()) {
            JsonProperty property = field.getAnnotation(JsonProperty.class);
            if (property != null && property.value().equals(name)) {
                return field;
            }
        }
        return null;
    }

    private static Type argument(Type type, int index) {
        return type instanceof ParameterizedType p ? p.getActualTypeArguments()[index] : Object.class;
    }
}
