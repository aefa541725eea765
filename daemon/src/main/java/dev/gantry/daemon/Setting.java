package dev.gantry.daemon;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One value of the configuration together with the place where it was written, so that a complaint
/// can name it.
sealed interface Setting {

    /// `file:line:column`, or the option of the command line.
    String origin();

    /// A string, long, double or boolean, or what else TOML knows and no key of ours takes.
    record Scalar(Object value, String origin) implements Setting {}

    /// An array.
    record Items(List<Setting> items, String origin) implements Setting {
        public Items {
            items = List.copyOf(items);
        }
    }

    /// A table. The keys keep the order in which they were written.
    record Table(Map<String, Setting> entries, String origin) implements Setting {

        static final Table EMPTY = new Table(Map.of(), "");

        /// This table with the entries of another laid over it: tables merge, anything else is replaced.
        Table overlaidWith(Table other) {
            Map<String, Setting> merged = new LinkedHashMap<>(entries);
            other.entries.forEach((key, above) -> merged.merge(key, above, Table::overlay));
            return new Table(merged, other.origin.isEmpty() ? origin : other.origin);
        }

        private static Setting overlay(Setting below, Setting above) {
            return below instanceof Table table && above instanceof Table over ? table.overlaidWith(over) : above;
        }
    }

    /// How TOML calls this kind of value.
    default String type() {
        return switch (this) {
            case Table _ -> "a table";
            case Items _ -> "an array";
            case Scalar(String text, var _) -> "the string \"" + text + '"';
            case Scalar(Long number, var _) -> "the integer " + number;
            case Scalar(Object value, var _) -> value.toString();
        };
    }
}
