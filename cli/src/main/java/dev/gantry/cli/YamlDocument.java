package dev.gantry.cli;

import dev.gantry.cli.Manifest.Place;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/// One YAML document as plain values, and the place of each by its path. The file may be hostile:
/// nesting, aliases and the number of values are bounded.
record YamlDocument(Object value, Map<String, Place> places) {

    private static final int MAX_DEPTH = 64;
    private static final int MAX_VALUES = 100_000;

    /// The text is not one YAML document.
    static final class Malformed extends RuntimeException {
        private final transient Place place;

        Malformed(Place place, String message) {
            super(message);
            this.place = place;
        }

        Place place() {
            return place;
        }
    }

    static YamlDocument parse(String text) {
        var settings = LoadSettings.builder()
                .setSchema(new CoreSchema())
                .setMaxAliasesForCollections(50)
                .setAllowDuplicateKeys(false)
                .build();
        try {
            return new Reader()
                    .read(new Compose(settings).composeAllFromString(text).iterator());
        } catch (MarkedYamlEngineException e) {
            Place place = place(e.getProblemMark().or(e::getContextMark));
            throw new Malformed(place, e.getProblem());
        } catch (YamlEngineException e) {
            throw new Malformed(new Place(1, 1), String.valueOf(e.getMessage()));
        }
    }

    private static Place place(Optional<Mark> mark) {
        return mark.map(m -> new Place(m.getLine() + 1, m.getColumn() + 1)).orElse(new Place(1, 1));
    }

    private static Place place(Node node) {
        return place(node.getStartMark());
    }

    private static final class Reader {

        private final Map<String, Place> places = new HashMap<>();
        private final IdentityHashMap<Node, Boolean> open = new IdentityHashMap<>();
        private int values;

        YamlDocument read(Iterator<Node> documents) {
            Object found = null;
            while (documents.hasNext()) {
                Node node = documents.next();
                if (node.getTag().equals(Tag.NULL)) {
                    continue; // nothing but comments between two lines of dashes
                }
                if (found != null) {
                    throw new Malformed(place(node), "a second document begins here; give each pod a file of its own");
                }
                found = value(node, "");
            }
            if (found == null) {
                throw new Malformed(new Place(1, 1), "the file is empty");
            }
            return new YamlDocument(found, places);
        }

        private @Nullable Object value(Node node, String path) {
            if (++values > MAX_VALUES) {
                throw new Malformed(place(node), "there are too many values for a manifest");
            }
            places.putIfAbsent(path, place(node));
            if (node instanceof ScalarNode scalar) {
                return scalar(scalar);
            }
            if (open.size() >= MAX_DEPTH || open.put(node, true) != null) {
                throw new Malformed(place(node), "values are nested too deep, or contain themselves");
            }
            Object value = switch (node) {
                case MappingNode map -> object(map, path);
                case SequenceNode list -> array(list, path);
                default -> throw new Malformed(place(node), "an alias that leads nowhere");
            };
            open.remove(node);
            return value;
        }

        private Map<String, @Nullable Object> object(MappingNode node, String path) {
            Map<String, @Nullable Object> object = new LinkedHashMap<>();
            for (NodeTuple entry : node.getValue()) {
                if (!(entry.getKeyNode() instanceof ScalarNode key)) {
                    throw new Malformed(place(entry.getKeyNode()), "a key has to be a word");
                }
                String inner = path.isEmpty() ? key.getValue() : path + "." + key.getValue();
                if (object.containsKey(key.getValue())) {
                    throw new Malformed(place(key), inner + " is there twice");
                }
                places.put(inner, place(key));
                object.put(key.getValue(), value(entry.getValueNode(), inner));
            }
            return object;
        }

        private List<@Nullable Object> array(SequenceNode node, String path) {
            List<@Nullable Object> array = new ArrayList<>();
            for (Node item : node.getValue()) {
                array.add(value(item, path + "[" + array.size() + "]"));
            }
            return array;
        }

        private static @Nullable Object scalar(ScalarNode node) {
            String text = node.getValue();
            Tag tag = node.getTag();
            try {
                if (tag.equals(Tag.NULL)) {
                    return null;
                }
                if (tag.equals(Tag.BOOL)) {
                    return Boolean.valueOf(text);
                }
                if (tag.equals(Tag.INT)) {
                    return Long.decode(text.startsWith("0o") ? "0" + text.substring(2) : decimal(text));
                }
                return tag.equals(Tag.FLOAT) ? new BigDecimal(text) : text;
            } catch (NumberFormatException _) {
                throw new Malformed(place(node), text + " is no number that can be used");
            }
        }

        /// Long.decode takes a leading zero for octal, YAML 1.2 does not.
        private static String decimal(String text) {
            return text.startsWith("0x") ? text : text.replaceFirst("^([-+]?)0+(?=\\d)", "$1");
        }
    }
}
