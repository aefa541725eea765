package dev.gantry.runtime;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Encoded messages of stored objects, each made once for each version of its row.
///
/// The kubelet lists everything each second; building messages anew from maps and strings would be most of that work.
/// Thread-safe.
final class ListItems<T> {

    @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
    private record Entry<T>(T row, byte[] item) {}

    @SuppressWarnings("ArrayRecordComponent") // as above
    private record Together<T>(List<T> rows, byte[] items) {}

    private volatile Together<T> together = new Together<>(List.of(), new byte[0]);
    private final ConcurrentHashMap<String, Entry<T>> entries = new ConcurrentHashMap<>();
    private final Function<T, String> key;
    private final Function<T, byte[]> encode;

    ListItems(Function<T, String> key, Function<T, byte[]> encode) {
        this.key = key;
        this.encode = encode;
    }

    /// The item of exactly this row; rows are immutable, so the same object means the same item.
    @SuppressWarnings("ReferenceEquality") // comparing by value would cost what this spares
    byte[] of(T row) {
        String id = key.apply(row);
        Entry<T> entry = entries.get(id);
        if (entry == null || entry.row() != row) {
            entry = new Entry<>(row, encode.apply(row));
            entries.put(id, entry);
        }
        return entry.item();
    }

    /// The items of all of them, one after the other, which is what the kubelet asks for again and again: the same
    /// array as long as it is the same list, as an object.
    @SuppressWarnings("ReferenceEquality") // as above
    byte[] together(List<T> rows) {
        Together<T> last = together;
        if (last.rows() == rows) {
            return last.items();
        }
        keepOnly(rows);
        byte[] items = EncodedItems.join(rows.stream().map(this::of).toList());
        together = new Together<>(rows, items);
        return items;
    }

    /// Forgets the items of objects that are no longer among the given ones.
    void keepOnly(Collection<T> rows) {
        if (entries.size() > rows.size()) {
            entries.keySet().retainAll(rows.stream().map(key).collect(Collectors.toSet()));
        }
    }
}
