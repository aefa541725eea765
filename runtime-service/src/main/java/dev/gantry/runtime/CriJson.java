package dev.gantry.runtime;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// CRI messages as JSON values, with the names of the contract (`log_path`) and numbers for enum values, as the Go
/// clients print them.
final class CriJson {

    private CriJson() {}

    static Map<String, @Nullable Object> of(Message message) {
        Map<String, @Nullable Object> members = new LinkedHashMap<>();
        message.getAllFields().forEach((field, value) -> members.put(field.getName(), value(field, value)));
        return members;
    }

    private static @Nullable Object value(FieldDescriptor field, Object value) {
        if (field.isMapField()) {
            Map<String, @Nullable Object> entries = new LinkedHashMap<>();
            for (Object entry : (List<?>) value) {
                MapEntry<?, ?> pair = (MapEntry<?, ?>) entry;
                entries.put(String.valueOf(pair.getKey()), scalar(pair.getValue()));
            }
            return entries;
        }
        if (field.isRepeated()) {
            List<@Nullable Object> items = new ArrayList<>();
            for (Object item : (List<?>) value) {
                items.add(scalar(item));
            }
            return items;
        }
        return scalar(value);
    }

    private static @Nullable Object scalar(Object value) {
        return switch (value) {
            case Message message -> of(message);
            case EnumValueDescriptor constant -> (long) constant.getNumber();
            case ByteString bytes -> bytes.toStringUtf8();
            case Integer number -> number.longValue();
            default -> value;
        };
    }
}
