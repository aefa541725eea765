package dev.gantry.runtime;

import java.util.Map;

/// The filters of list calls: all parts that are given must match.
final class Filters {

    private Filters() {}

    /// Whether an id is or begins with the wanted one; nothing wanted matches everything.
    static boolean id(String wanted, String id) {
        return wanted.isEmpty() || id.startsWith(wanted);
    }

    static boolean labels(Map<String, String> wanted, Map<String, String> labels) {
        return wanted.entrySet().stream().allMatch(entry -> entry.getValue().equals(labels.get(entry.getKey())));
    }
}
