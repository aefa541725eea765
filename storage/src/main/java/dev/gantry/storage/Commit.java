package dev.gantry.storage;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One commit, as those see it who watch the store.
public final class Commit {

    private final View before;
    private final View after;
    private final Change change;

    Commit(View before, View after, Change change) {
        this.before = before;
        this.after = after;
        this.change = change;
    }

    /// An object that the commit made, changed or deleted; with it its neighbours in time.
    public record Changed<T>(Optional<T> before, Optional<T> after) {}

    /// What became of the objects of a kind.
    public <T> List<Changed<T>> changes(Kind<T> kind) {
        Set<String> keys = new LinkedHashSet<>();
        for (Change.Operation operation : change.operations()) {
            switch (operation) {
                case Change.Operation.Put<?> put when put.kind().equals(kind) -> keys.add(put.key());
                case Change.Operation.Delete(Kind<?> of, String key) when of.equals(kind) -> keys.add(key);
                default -> {
                    // of another kind
                }
            }
        }
        return keys.stream()
                .map(key -> new Changed<>(before.find(kind, key), after.find(kind, key)))
                .toList();
    }

    /// The view that the commit made.
    public View view() {
        return after;
    }
}
