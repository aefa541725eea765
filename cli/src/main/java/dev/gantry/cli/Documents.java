package dev.gantry.cli;

import java.util.Collection;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;

/// Prints plain data (maps, collections, strings, numbers, booleans) as JSON or YAML. Keys keep the
/// order of their map. YAML strings that a reader could take for something else stand in quotes.
final class Documents {

    private Documents() {}

    static String json(Object value) {
        var out = new StringBuilder();
        json(out, value, "");
        return out.append('\n').toString();
    }

    static String yaml(Object value) {
        var out = new StringBuilder();
        yaml(out, value, "");
        return out.toString();
    }

    private static void json(StringBuilder out, Object value, String indent) {
        String inner = indent + "  ";
        switch (value) {
            case Map<?, ?> map
            when !map.isEmpty() -> {
                String before = "{\n";
                for (var entry : map.entrySet()) {
                    quote(out.append(before).append(inner), String.valueOf(entry.getKey()));
                    json(out.append(": "), entry.getValue(), inner);
                    before = ",\n";
                }
                out.append('\n').append(indent).append('}');
            }
            case Collection<?> items
            when !items.isEmpty() -> {
                String before = "[\n";
                for (Object item : items) {
                    json(out.append(before).append(inner), item, inner);
                    before = ",\n";
                }
                out.append('\n').append(indent).append(']');
            }
            default -> scalar(out, value, true);
        }
    }

    private static void yaml(StringBuilder out, Object value, String indent) {
        switch (value) {
            case Map<?, ?> map
            when !map.isEmpty() -> {
                String before = "";
                for (var entry : map.entrySet()) {
                    out.append(before);
                    scalar(out, String.valueOf(entry.getKey()), false);
                    nested(out.append(':'), entry.getValue(), indent);
                    before = indent;
                }
            }
            case Collection<?> items
            when !items.isEmpty() -> {
                String before = "";
                for (Object item : items) {
                    out.append(before).append("- ");
                    yaml(out, item, indent + "  ");
                    before = indent;
                }
            }
            default -> {
                scalar(out, value, false);
                out.append('\n');
            }
        }
    }

    private static void nested(StringBuilder out, Object value, String indent) {
        boolean block = (value instanceof Map<?, ?> map && !map.isEmpty())
                || (value instanceof Collection<?> items && !items.isEmpty());
        if (block) {
            out.append('\n').append(indent).append("  ");
            yaml(out, value, indent + "  ");
        } else {
            out.append(' ');
            yaml(out, value, indent);
        }
    }

    private static void scalar(StringBuilder out, Object value, boolean quoted) {
        switch (value) {
            case Map<?, ?> _ -> out.append("{}");
            case Collection<?> _ -> out.append("[]");
            case Number number -> out.append(number);
            case Boolean flag -> out.append(flag);
            default -> {
                String text = value.toString();
                if (!quoted && plainInYaml(text)) {
                    out.append(text);
                } else {
                    quote(out, text);
                }
            }
        }
    }

    /// Words that begin with a letter and hold nothing that YAML gives a meaning to; the words for
    /// booleans and null are not among them.
    private static boolean plainInYaml(String text) {
        if (text.isEmpty() || !Character.isLetter(text.charAt(0)) || text.length() > 200) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!(c < 128 && Character.isLetterOrDigit(c)) && "-_./@".indexOf(c) < 0) {
                return false;
            }
        }
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true", "false", "yes", "no", "on", "off", "y", "n", "null" -> false;
            default -> true;
        };
    }

    private static void quote(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
                        out.append("\\u").append(HexFormat.of().toHexDigits(c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
