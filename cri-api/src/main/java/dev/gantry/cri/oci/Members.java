package dev.gantry.cri.oci;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The members of one JSON object, read by name and with a type. What is absent or null reads as empty, members
/// nobody asks for are ignored, and a member of another type is a [MalformedDocumentException] that names it.
final class Members {

    private static final BigInteger UNSIGNED_LIMIT = BigInteger.ONE.shiftLeft(64);

    private final String document;
    private final String path;
    private final Map<?, ?> values;

    private Members(String document, String path, Map<?, ?> values) {
        this.document = document;
        this.path = path;
        this.values = values;
    }

    /// Reads a document whose root is an object.
    static Members of(byte[] bytes, String document) {
        return of(Json.parse(bytes, document), document);
    }

    /// Reads a document that was parsed already, into what [Json#parse(byte[])] makes.
    static Members of(@Nullable Object value, String document) {
        if (value instanceof Map<?, ?> values) {
            return new Members(document, "", values);
        }
        throw new MalformedDocumentException(document, "it is not an object");
    }

    /// Refuses members that nobody knows, for documents where overlooking one would do something else than was meant.
    Members only(String... known) {
        for (Object name : values.keySet()) {
            if (!List.of(known).contains(name)) {
                throw wrong(String.valueOf(name), "is unknown");
            }
        }
        return this;
    }

    boolean has(String name) {
        return values.get(name) != null;
    }

    String text(String name) {
        return switch (values.get(name)) {
            case null -> "";
            case String text -> text;
            default -> throw wrong(name, "is not a string");
        };
    }

    String requiredText(String name) {
        String text = text(name);
        if (text.isEmpty()) {
            throw wrong(name, "is missing");
        }
        return text;
    }

    boolean flag(String name) {
        return switch (values.get(name)) {
            case null -> false;
            case Boolean flag -> flag;
            default -> throw wrong(name, "is not a boolean");
        };
    }

    @Nullable
    Long number(String name) {
        return switch (values.get(name)) {
            case null -> null;
            case Long number -> number;
            default -> throw wrong(name, "is not a whole number of 64 bits");
        };
    }

    long requiredNumber(String name) {
        Long number = number(name);
        if (number == null) {
            throw wrong(name, "is missing");
        }
        return number;
    }

    long numberOrZero(String name) {
        Long number = number(name);
        return number == null ? 0 : number;
    }

    /// A number from 0 to 2^64 - 1, in the bits of a long.
    @Nullable
    Long unsigned(String name) {
        return switch (values.get(name)) {
            case null -> null;
            case Long number when number >= 0 -> number;
            case BigDecimal number
            when fitsUnsigned(number) -> number.toBigInteger().longValue();
            default -> throw wrong(name, "is not an unsigned number of 64 bits");
        };
    }

    long unsignedOrZero(String name) {
        Long number = unsigned(name);
        return number == null ? 0 : number;
    }

    List<String> texts(String name) {
        return list(name, (element, at) -> {
            if (element instanceof String text) {
                return text;
            }
            throw wrong(at, "is not a string");
        });
    }

    List<Long> numbers(String name) {
        return list(name, (element, at) -> {
            if (element instanceof Long number) {
                return number;
            }
            throw wrong(at, "is not a whole number of 64 bits");
        });
    }

    Map<String, String> map(String name) {
        Map<String, String> texts = new LinkedHashMap<>();
        object(name).ifPresent((key, value) -> {
            if (!(value instanceof String text)) {
                throw wrong(name + "." + key, "is not a string");
            }
            texts.put(key, text);
        });
        return Ordered.copyOf(texts);
    }

    /// The names of an object's members, for sets that are written so.
    List<String> set(String name) {
        List<String> names = new ArrayList<>();
        object(name).ifPresent((key, _) -> names.add(key));
        return List.copyOf(names);
    }

    <T> @Nullable T object(String name, Function<Members, T> reader) {
        Object value = values.get(name);
        return value == null ? null : reader.apply(members(value, name));
    }

    <T> T requiredObject(String name, Function<Members, T> reader) {
        T object = object(name, reader);
        if (object == null) {
            throw wrong(name, "is missing");
        }
        return object;
    }

    <T> List<T> objects(String name, Function<Members, T> reader) {
        return list(name, (element, at) -> reader.apply(members(element, at)));
    }

    <T> Map<String, T> objectMap(String name, Function<Members, T> reader) {
        Map<String, T> objects = new LinkedHashMap<>();
        object(name).ifPresent((key, value) -> objects.put(key, reader.apply(members(value, name + "." + key))));
        return Ordered.copyOf(objects);
    }

    /// Runs a conversion that refuses bad text with an IllegalArgumentException.
    <T> T convert(String name, String text, Function<String, T> conversion) {
        try {
            return conversion.apply(text);
        } catch (IllegalArgumentException e) {
            throw new MalformedDocumentException(document, "member %s%s: %s".formatted(path, name, e.getMessage()), e);
        }
    }

    MalformedDocumentException malformed(String problem) {
        return new MalformedDocumentException(document, problem);
    }

    MalformedDocumentException wrong(String name, String problem) {
        return new MalformedDocumentException(document, "member %s%s %s".formatted(path, name, problem));
    }

    private Entries object(String name) {
        return switch (values.get(name)) {
            case null -> _ -> {};
            case Map<?, ?> map -> entry -> map.forEach((key, value) -> entry.accept((String) key, value));
            default -> throw wrong(name, "is not an object");
        };
    }

    private Members members(@Nullable Object value, String name) {
        if (value instanceof Map<?, ?> map) {
            return new Members(document, path + name + ".", map);
        }
        throw wrong(name, "is not an object");
    }

    private <T> List<T> list(String name, BiFunction<@Nullable Object, String, T> reader) {
        Object value = values.get(name);
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof List<?> elements)) {
            throw wrong(name, "is not an array");
        }
        List<T> list = new ArrayList<>(elements.size());
        for (Object element : elements) {
            list.add(reader.apply(element, name + "[" + list.size() + "]"));
        }
        return List.copyOf(list);
    }

    private static boolean fitsUnsigned(BigDecimal number) {
        return number.scale() == 0
                && number.signum() >= 0
                && number.unscaledValue().compareTo(UNSIGNED_LIMIT) < 0;
    }

    @FunctionalInterface
    private interface Entries {
        void ifPresent(Entry entry);
    }

    @FunctionalInterface
    private interface Entry {
        void accept(String key, @Nullable Object value);
    }
}
