package dev.gantry.storage;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The whole metadata at one moment. Never changes, takes no lock, and may be kept: two reads of one view always
/// agree.
public final class View {

    private final long revision;
    private final Map<String, Table<?>> tables;

    private View(long revision, Map<String, Table<?>> tables) {
        this.revision = revision;
        this.tables = tables;
    }

    static View of(long revision, Collection<Table<?>> tables) {
        Map<String, Table<?>> byName = new HashMap<>();
        tables.forEach(table -> byName.put(table.kind().name(), table));
        return new View(revision, byName);
    }

    /// Grows by one with each commit; starts anew when the store is opened.
    public long revision() {
        return revision;
    }

    public <T> Optional<T> find(Kind<T> kind, String key) {
        return Optional.ofNullable(table(kind).get(key));
    }

    /// All objects of the kind, sorted by key. A view, not a copy: iterating is what costs.
    public <T> Collection<T> all(Kind<T> kind) {
        return table(kind).all();
    }

    public <T> Optional<T> findBy(Kind<T> kind, String index, String key) {
        return table(kind).findBy(index, key);
    }

    /// The objects whose key starts with `prefix`, sorted by key.
    public <T> List<T> withPrefix(Kind<T> kind, String prefix) {
        return table(kind).withPrefix(prefix);
    }

    /// The view that this one becomes by the change.
    ///
    /// @throws StorageException.AlreadyExists if the change would give an index key to two objects
    View after(Change change) {
        Map<String, Table<?>> changed = new HashMap<>(tables);
        for (Change.Operation operation : change.operations()) {
            switch (operation) {
                case Change.Operation.Put<?> put -> put(changed, put);
                case Change.Operation.Delete(Kind<?> kind, String key) ->
                    changed.put(kind.name(), table(changed, kind).without(key));
                case Change.Operation.PutBlob _, Change.Operation.DeleteBlob _ -> {
                    // blobs are in no view
                }
            }
        }
        return new View(revision + 1, changed);
    }

    private static <T> void put(Map<String, Table<?>> tables, Change.Operation.Put<T> put) {
        tables.put(put.kind().name(), table(tables, put.kind()).with(put.key(), put.value()));
    }

    private <T> Table<T> table(Kind<T> kind) {
        return table(tables, kind);
    }

    @SuppressWarnings("unchecked") // a table is found by the very kind it was made with
    private static <T> Table<T> table(Map<String, Table<?>> tables, Kind<T> kind) {
        Table<?> table = tables.get(kind.name());
        if (table == null || !table.kind().equals(kind)) {
            throw new IllegalArgumentException(
                    "kind %s was not registered when the store was opened".formatted(kind.name()));
        }
        return (Table<T>) table;
    }
}
