package dev.gantry.runtime;

import java.util.Collection;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// The CRI list items of stored objects, each built once for each version of its row.
///
/// The kubelet lists everything each second; building messages anew from maps and strings would be most of that work.
/// Thread-safe.
final class ListItems<T, M> {

    private record Entry<T, M>(T row, M item) {}

    private final ConcurrentHashMap<String, Entry<T, M>> entries = new ConcurrentHashMap<>();
    private final Function<T, String> key;
    private final Function<T, M> build;

    ListItems(Function<T, String> key, Function<T, M> build) {
        this.key = key;
        this.build = build;
    }

    /// The item of exactly this row; rows are immutable, so the same object means the same item.
    @SuppressWarnings("ReferenceEquality") // comparing by value would cost what this spares
    M of(T row) {
        String id = key.apply(row);
        Entry<T, M> entry = entries.get(id);
        if (entry == null || entry.row() != row) {
            entry = new Entry<>(row, build.apply(row));
            entries.put(id, entry);
        }
        return entry.item();
    }

    /// Forgets the items of objects that are no longer among the given ones.
    void keepOnly(Collection<T> rows) {
        if (entries.size() > rows.size()) {
            entries.keySet().retainAll(rows.stream().map(key).collect(java.util.stream.Collectors.toSet()));
        }
    }
}
