package dev.gantry.storage;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What one commit does, over as many kinds as it likes: all of it happens or none.
///
/// Immutable; each method answers a new change. The operations apply in the order in which they were added, so a
/// name that one operation frees can be taken by the next. Values are encoded when they are added, on the caller's
/// time.
public final class Change {

    @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
    sealed interface Operation {

        record Put<T>(Kind<T> kind, String key, T value, byte[] bytes) implements Operation {}

        record Delete(Kind<?> kind, String key) implements Operation {}

        /// A value that no view holds: it is read from the disk each time.
        record PutBlob(String key, byte[] bytes) implements Operation {}

        record DeleteBlob(String key) implements Operation {}
    }

    private static final Change EMPTY = new Change(null, null, 0);

    private final @Nullable Change before;
    private final @Nullable Operation last;
    private final int size;

    private Change(@Nullable Change before, @Nullable Operation last, int size) {
        this.before = before;
        this.last = last;
        this.size = size;
    }

    public static Change empty() {
        return EMPTY;
    }

    /// Writes the object, in place of the one with the same key if there is one.
    public <T> Change put(Kind<T> kind, T value) {
        return then(new Operation.Put<>(
                kind, kind.key().apply(value), value, kind.codec().encode(value)));
    }

    /// Deletes the object; that it is absent is fine.
    public Change delete(Kind<?> kind, String key) {
        return then(new Operation.Delete(kind, key));
    }

    Change putBlob(String key, byte[] bytes) {
        return then(new Operation.PutBlob(key, bytes));
    }

    Change deleteBlob(String key) {
        return then(new Operation.DeleteBlob(key));
    }

    /// This change and then the other one, as one.
    public Change and(Change other) {
        Change joined = this;
        for (Operation operation : other.operations()) {
            joined = joined.then(operation);
        }
        return joined;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    /// Whether there will be something that is not in the view, and not just other or fewer things.
    boolean addsTo(View view) {
        return operations().stream().anyMatch(operation -> switch (operation) {
            case Operation.Put<?> put -> view.find(put.kind(), put.key()).isEmpty();
            case Operation.PutBlob _ -> true;
            case Operation.Delete _, Operation.DeleteBlob _ -> false;
        });
    }

    List<Operation> operations() {
        List<Operation> operations = new ArrayList<>(size);
        for (Change at = this; at != null && at.last != null; at = at.before) {
            operations.add(at.last);
        }
        return operations.reversed();
    }

    private Change then(Operation operation) {
        return new Change(this, operation, size + 1);
    }
}
