package dev.gantry.cri.oci;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.SerializableString;

/// Writes the members of a document in the manner of the OCI specifications: what is null, empty or false is left
/// out, but for the `required` ones.
final class JsonWriter {

    private final JsonGenerator generator;

    private JsonWriter(JsonGenerator generator) {
        this.generator = generator;
    }

    /// One document as UTF-8.
    static <T> byte[] document(T value, BiConsumer<T, JsonWriter> members) {
        var out = new ByteArrayOutputStream(4096);
        try (JsonGenerator generator = Json.generator(out)) {
            generator.writeStartObject();
            members.accept(value, new JsonWriter(generator));
            generator.writeEndObject();
        }
        return out.toByteArray();
    }

    JsonWriter text(String name, String value) {
        return value.isEmpty() ? this : requiredText(name, value);
    }

    JsonWriter requiredText(String name, String value) {
        generator.writeStringProperty(name, value);
        return this;
    }

    JsonWriter flag(String name, boolean value) {
        return value ? requiredFlag(name, true) : this;
    }

    JsonWriter requiredFlag(String name, boolean value) {
        generator.writeBooleanProperty(name, value);
        return this;
    }

    JsonWriter number(String name, @Nullable Long value) {
        return value == null ? this : requiredNumber(name, value);
    }

    JsonWriter requiredNumber(String name, long value) {
        generator.writeNumberProperty(name, value);
        return this;
    }

    /// A number from 0 to 2^64 - 1, held in the bits of a long.
    JsonWriter unsigned(String name, @Nullable Long value) {
        return value == null ? this : requiredUnsigned(name, value);
    }

    JsonWriter requiredUnsigned(String name, long value) {
        if (value >= 0) {
            return requiredNumber(name, value);
        }
        generator.writeName(name);
        generator.writeNumber(Long.toUnsignedString(value));
        return this;
    }

    JsonWriter texts(String name, List<String> values) {
        return values.isEmpty() ? this : requiredTexts(name, values);
    }

    JsonWriter requiredTexts(String name, List<String> values) {
        generator.writeArrayPropertyStart(name);
        for (String value : values) {
            generator.writeString(value);
        }
        generator.writeEndArray();
        return this;
    }

    JsonWriter numbers(String name, List<Long> values) {
        if (values.isEmpty()) {
            return this;
        }
        generator.writeArrayPropertyStart(name);
        for (long value : values) {
            generator.writeNumber(value);
        }
        generator.writeEndArray();
        return this;
    }

    JsonWriter map(String name, Map<String, String> values) {
        if (values.isEmpty()) {
            return this;
        }
        generator.writeObjectPropertyStart(name);
        values.forEach(generator::writeStringProperty);
        generator.writeEndObject();
        return this;
    }

    /// A set, which the image specification writes as an object with empty members.
    JsonWriter set(String name, List<String> values) {
        if (values.isEmpty()) {
            return this;
        }
        generator.writeObjectPropertyStart(name);
        for (String value : values) {
            generator.writeObjectPropertyStart(value);
            generator.writeEndObject();
        }
        generator.writeEndObject();
        return this;
    }

    <T> JsonWriter object(String name, @Nullable T value, BiConsumer<T, JsonWriter> members) {
        if (value != null) {
            generator.writeName(name);
            write(value, members);
        }
        return this;
    }

    <T> JsonWriter objects(String name, List<T> values, BiConsumer<T, JsonWriter> members) {
        return values.isEmpty() ? this : requiredObjects(name, values, members);
    }

    <T> JsonWriter requiredObjects(String name, List<T> values, BiConsumer<T, JsonWriter> members) {
        generator.writeArrayPropertyStart(name);
        for (T value : values) {
            write(value, members);
        }
        generator.writeEndArray();
        return this;
    }

    <T> JsonWriter objects(String name, Map<String, T> values, BiConsumer<T, JsonWriter> members) {
        if (values.isEmpty()) {
            return this;
        }
        generator.writeObjectPropertyStart(name);
        values.forEach((key, value) -> object(key, value, members));
        generator.writeEndObject();
        return this;
    }

    /// A value that is JSON already; its bytes are copied.
    JsonWriter encoded(String name, SerializableString json) {
        generator.writeName(name);
        generator.writeRawValue(json);
        return this;
    }

    private <T> void write(T value, BiConsumer<T, JsonWriter> members) {
        generator.writeStartObject();
        members.accept(value, this);
        generator.writeEndObject();
    }
}
