package dev.gantry.cli;

import java.util.Map;

/// Replaces `$(NAME)` as Kubernetes does in commands, arguments and values of variables: `$$` is a
/// dollar that begins nothing, and a name that is not defined stays as it was written.
final class Variables {

    private Variables() {}

    static String expand(String text, Map<String, String> defined) {
        if (text.indexOf('$') < 0) {
            return text;
        }
        var out = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            char next = at + 1 < text.length() ? text.charAt(at + 1) : 0;
            if (c != '$' || (next != '$' && next != '(')) {
                out.append(c);
                at++;
            } else if (next == '$') {
                out.append('$');
                at += 2;
            } else {
                at = reference(text, at, defined, out);
            }
        }
        return out.toString();
    }

    /// Appends what the reference that begins at `at` stands for, and returns where it ends.
    private static int reference(String text, int at, Map<String, String> defined, StringBuilder out) {
        int end = text.indexOf(')', at);
        if (end < 0) {
            out.append("$(");
            return at + 2;
        }
        String name = text.substring(at + 2, end);
        String value = defined.get(name);
        if (value == null) {
            out.append("$(").append(name).append(')');
        } else {
            out.append(value);
        }
        return end + 1;
    }
}
