package dev.gantry.cni;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A network configuration with places for what is known only when the node has its range of addresses.
///
/// The language is what nodes have in their templates for containerd, and no more: Go's `text/template` with the fields
/// `.PodCIDR` (the first range), `.PodCIDRRanges` and `.Routes`, `range` over the latter two, and `if` about an index.
///
/// ```
/// {"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "bridge", "ipam": {"type": "host-local",
///   "ranges": [{{range $i, $range := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$range}}"}]{{end}}],
///   "routes": [{{range $i, $route := .Routes}}{{if $i}}, {{end}}{"dst": "{{$route}}"}{{end}}]}}]}
/// ```
final class NetworkTemplate {

    private static final Pattern ACTION = Pattern.compile("\\{\\{(?:- )?\\s*(.*?)\\s*(?: -)?}}", Pattern.DOTALL);
    private static final Pattern RANGE = Pattern.compile(
            "range\\s+(?:(?:(\\$\\w+)\\s*,\\s*)?(\\$\\w+)\\s*:=\\s*)?(\\.PodCIDRRanges|\\.Routes)", Pattern.DOTALL);
    private static final Pattern IF = Pattern.compile("if\\s+(\\$\\w+|\\.PodCIDRRanges|\\.Routes|\\.PodCIDR)");
    private static final Pattern VALUE = Pattern.compile("\\$\\w+|\\.PodCIDR|\\.");

    /// A piece of a template.
    private sealed interface Node {}

    private record Text(String text) implements Node {}

    private record Value(String name) implements Node {}

    private record If(String name, List<Node> body) implements Node {}

    /// @param index null when the template does not name it
    private record Range(@Nullable String index, @Nullable String item, String field, List<Node> body)
            implements Node {}

    private final List<Node> nodes;

    private NetworkTemplate(List<Node> nodes) {
        this.nodes = nodes;
    }

    /// @throws JsonObject.WrongType when it uses more than the language has
    static NetworkTemplate parse(String text) {
        Deque<List<Node>> open = new ArrayDeque<>();
        List<Node> nodes = new ArrayList<>();
        Matcher action = ACTION.matcher(text);
        int from = 0;
        boolean trim = false;
        while (action.find()) {
            String before = text.substring(from, action.start());
            before = trim ? before.stripLeading() : before;
            nodes.add(new Text(action.group().startsWith("{{- ") ? before.stripTrailing() : before));
            trim = action.group().endsWith(" -}}");
            from = action.end();
            String words = action.group(1);
            if (words.equals("end")) {
                if (open.isEmpty()) {
                    throw new JsonObject.WrongType("it has an {{end}} too many");
                }
                nodes = open.pop();
            } else {
                Node node = node(words);
                nodes.add(node);
                if (!(node instanceof Value)) {
                    open.push(nodes);
                    nodes = body(node);
                }
            }
        }
        if (!open.isEmpty()) {
            throw new JsonObject.WrongType("it has an {{end}} too few");
        }
        String rest = text.substring(from);
        nodes.add(new Text(trim ? rest.stripLeading() : rest));
        return new NetworkTemplate(nodes);
    }

    private static Node node(String words) {
        Matcher range = RANGE.matcher(words);
        if (range.matches()) {
            return new Range(range.group(1), range.group(2), range.group(3), new ArrayList<>());
        }
        Matcher condition = IF.matcher(words);
        if (condition.matches()) {
            return new If(condition.group(1), new ArrayList<>());
        }
        if (VALUE.matcher(words).matches()) {
            return new Value(words);
        }
        throw new JsonObject.WrongType(
                "{{%s}} is not known: there are {{.PodCIDR}}, {{range $i, $r := .PodCIDRRanges}}, {{range $i, $r := .Routes}}, {{if $i}}, {{$r}} and {{end}}"
                        .formatted(words));
    }

    private static List<Node> body(Node node) {
        return switch (node) {
            case Range range -> range.body();
            case If condition -> condition.body();
            case Text _, Value _ -> List.of();
        };
    }

    String fill(PodRanges ranges) {
        Map<String, List<String>> lists = Map.of(".PodCIDRRanges", ranges.cidrs(), ".Routes", ranges.routes());
        StringBuilder out = new StringBuilder();
        fill(nodes, lists, Map.of(".PodCIDR", ranges.cidrs().getFirst()), out);
        return out.toString();
    }

    private static void fill(
            List<Node> nodes, Map<String, List<String>> lists, Map<String, String> values, StringBuilder out) {
        for (Node node : nodes) {
            switch (node) {
                case Text(String text) -> out.append(text);
                case Value(String name) -> out.append(value(values, name));
                case If(String name, List<Node> body) -> {
                    if (holds(lists, values, name)) {
                        fill(body, lists, values, out);
                    }
                }
                case Range range -> fill(range, lists, values, out);
            }
        }
    }

    private static void fill(
            Range range, Map<String, List<String>> lists, Map<String, String> values, StringBuilder out) {
        List<String> items = lists.getOrDefault(range.field(), List.of());
        for (int i = 0; i < items.size(); i++) {
            Map<String, String> inner = new LinkedHashMap<>(values);
            inner.put(".", items.get(i));
            if (range.index() != null) {
                inner.put(range.index(), Integer.toString(i));
            }
            if (range.item() != null) {
                inner.put(range.item(), items.get(i));
            }
            fill(range.body(), lists, inner, out);
        }
    }

    /// As Go has it: 0 and what is empty do not hold.
    private static boolean holds(Map<String, List<String>> lists, Map<String, String> values, String name) {
        List<String> list = lists.get(name);
        return list != null ? !list.isEmpty() : !List.of("", "0").contains(value(values, name));
    }

    private static String value(Map<String, String> values, String name) {
        String value = values.get(name);
        if (value == null) {
            throw new JsonObject.WrongType("it uses {{%s}} where that has no value".formatted(name));
        }
        return value;
    }
}
