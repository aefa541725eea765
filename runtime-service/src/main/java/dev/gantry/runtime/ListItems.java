package dev.gantry.runtime;

import java.util.Collection;
import java.util.Iterator;
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

    /// The items of all of them, which is what the kubelet asks for again and again.
    Iterator<byte[]> of(Collection<T> rows) {
        Iterator<T> all = rows.iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return all.hasNext();
            }

            @Override
            public byte[] next() {
                return of(all.next());
            }
        };
    }

    /// Forgets the items of objects that are no longer among the given ones.
    void keepOnly(Collection<T> rows) {
        if (entries.size() > rows.size()) {
            entries.keySet().retainAll(rows.stream().map(key).collect(Collectors.toSet()));
        }
    }
}
