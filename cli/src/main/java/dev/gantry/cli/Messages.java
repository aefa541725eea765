package dev.gantry.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Turns protobuf messages into the plain data that [Documents] prints: fields that are set, by
/// their JSON names, in the order of their numbers.
final class Messages {

    private Messages() {}

    static Map<String, Object> plain(Message message) {
        Map<String, Object> object = new LinkedHashMap<>();
        message.getAllFields().forEach((field, value) -> object.put(field.getJsonName(), value(field, value)));
        return object;
    }

    private static Object value(FieldDescriptor field, Object value) {
        if (field.isMapField()) {
            Map<String, Object> map = new LinkedHashMap<>();
            for (Object item : (List<?>) value) {
                Message entry = (Message) item;
                FieldDescriptor key = entry.getDescriptorForType().findFieldByNumber(1);
                FieldDescriptor content = entry.getDescriptorForType().findFieldByNumber(2);
                map.put(String.valueOf(entry.getField(key)), single(entry.getField(content)));
            }
            return map;
        }
        return field.isRepeated()
                ? ((List<?>) value).stream().map(Messages::single).toList()
                : single(value);
    }

    private static Object single(Object value) {
        return switch (value) {
            case Message message -> plain(message);
            case EnumValueDescriptor constant -> constant.getName();
            case ByteString bytes -> bytes.toStringUtf8();
            default -> value;
        };
    }
}
