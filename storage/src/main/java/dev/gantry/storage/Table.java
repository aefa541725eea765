package dev.gantry.storage;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The objects of one kind at one moment, by key and by each index. Never changes; an update answers a new table.
final class Table<T> {

    private final Kind<T> kind;
    private final SortedTree<T> rows;

    /// By the index's name: from the index's key to the object's key.
    private final Map<String, SortedTree<String>> indexes;

    private Table(Kind<T> kind, SortedTree<T> rows, Map<String, SortedTree<String>> indexes) {
        this.kind = kind;
        this.rows = rows;
        this.indexes = indexes;
    }

    static <T> Table<T> empty(Kind<T> kind) {
        Map<String, SortedTree<String>> indexes = new LinkedHashMap<>();
        kind.indexes().forEach(index -> indexes.put(index.name(), SortedTree.empty()));
        return new Table<>(kind, SortedTree.empty(), indexes);
    }

    Kind<T> kind() {
        return kind;
    }

    @Nullable
    T get(String key) {
        return rows.get(key);
    }

    Collection<T> all() {
        return rows.values();
    }

    List<T> withPrefix(String prefix) {
        return rows.withPrefix(prefix);
    }

    Optional<T> findBy(String index, String key) {
        SortedTree<String> owners = indexes.get(index);
        if (owners == null) {
            throw new IllegalArgumentException("kind %s has no index %s".formatted(kind.name(), index));
        }
        String owner = owners.get(key);
        return owner == null ? Optional.empty() : Optional.ofNullable(rows.get(owner));
    }

    /// @throws StorageException.AlreadyExists if another object has one of the value's keys in an index
    Table<T> with(String key, T value) {
        T old = rows.get(key);
        Map<String, SortedTree<String>> changed = new LinkedHashMap<>(indexes);
        for (Index<T> index : kind.indexes()) {
            List<String> keys = index.keys().apply(value);
            List<String> oldKeys = old == null ? List.of() : index.keys().apply(old);
            if (!keys.equals(oldKeys)) {
                changed.compute(index.name(), (_, owners) -> moved(owners, index, key, oldKeys, keys));
            }
        }
        return new Table<>(kind, rows.with(key, value), changed);
    }

    Table<T> without(String key) {
        T old = rows.get(key);
        if (old == null) {
            return this;
        }
        Map<String, SortedTree<String>> changed = new LinkedHashMap<>(indexes);
        for (Index<T> index : kind.indexes()) {
            changed.compute(
                    index.name(),
                    (_, owners) -> moved(owners, index, key, index.keys().apply(old), List.of()));
        }
        return new Table<>(kind, rows.without(key), changed);
    }

    private SortedTree<String> moved(
            @Nullable SortedTree<String> owners, Index<T> index, String key, List<String> from, List<String> to) {
        SortedTree<String> moved = owners == null ? SortedTree.empty() : owners;
        for (String gone : from) {
            moved = moved.without(gone);
        }
        for (String taken : to) {
            String owner = moved.get(taken);
            if (owner != null && !owner.equals(key)) {
                throw new StorageException.AlreadyExists(kind.name(), key, index.name(), taken, owner);
            }
            moved = moved.with(taken, key);
        }
        return moved;
    }
}
