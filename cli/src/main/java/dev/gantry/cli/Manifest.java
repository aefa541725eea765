package dev.gantry.cli;

import io.fabric8.kubernetes.api.model.Pod;
import java.util.Map;

/// A pod manifest, and where in its file each field stands, so that a problem can be told with its
/// place. Paths are written as `spec.containers[0].image`.
record Manifest(String file, Pod pod, Map<String, Place> places) {

    /// A line and a column, both counted from one.
    record Place(int line, int column) {}

    Manifest {
        places = Map.copyOf(places);
    }

    /// A sentence about the field at a path, or about the nearest field above it that is there.
    String problem(String path, String sentence) {
        return problem(file, places, path, sentence);
    }

    static String problem(String file, Map<String, Place> places, String path, String sentence) {
        Place place = places.get(path);
        String above = path;
        while (place == null && !above.isEmpty()) {
            above = above.substring(0, Math.max(0, Math.max(above.lastIndexOf('.'), above.lastIndexOf('['))));
            place = places.get(above);
        }
        return place == null
                ? "%s: %s".formatted(file, sentence)
                : "%s:%d:%d: %s".formatted(file, place.line(), place.column(), sentence);
    }
}
