package dev.gantry.storage;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// The objects of one kind that clients may see: those in a state for it, unless somebody hides them. Thread-safe,
/// never waits.
///
/// Everything is listed again and again by clients that look for changes, so [#list] answers the same list, as an
/// object, until it is another.
public final class VisibleRows<T> {

    private record Listed<T>(long revision, long hidings, List<T> rows) {}

    private final Supplier<View> newest;
    private final Kind<T> kind;
    private final Predicate<T> shown;
    private final Set<String> hidden = ConcurrentHashMap.newKeySet();
    /// Counts what happens to `hidden`, after it has happened.
    private final AtomicLong hidings = new AtomicLong();
    private volatile Listed<T> last = new Listed<>(-1, -1, List.of());

    /// @param shown by its state
    public VisibleRows(MetadataStore store, Kind<T> kind, Predicate<T> shown) {
        this(store::view, kind, shown);
    }

    VisibleRows(Supplier<View> newest, Kind<T> kind, Predicate<T> shown) {
        this.newest = newest;
        this.kind = kind;
        this.shown = shown;
    }

    public boolean isVisible(T row) {
        return shown.test(row) && !hidden.contains(kind.key().apply(row));
    }

    /// Also what is not stored yet.
    public void hide(String key) {
        hidden.add(key);
        hidings.incrementAndGet();
    }

    /// Ends [#hide].
    public void show(String key) {
        hidden.remove(key);
        hidings.incrementAndGet();
    }

    /// All of them, sorted by key. As long as nothing has changed it is the same object.
    public List<T> list() {
        long counted = hidings.get(); // before the rest, so that what is listed is never older than it says
        View view = newest.get();
        Listed<T> known = last;
        if (known.revision() == view.revision() && known.hidings() == counted) {
            return known.rows();
        }
        List<T> rows = view.all(kind).stream().filter(this::isVisible).toList();
        Listed<T> listed = new Listed<>(view.revision(), counted, areSame(rows, known.rows()) ? known.rows() : rows);
        last = listed;
        return listed.rows();
    }

    /// Rows are immutable, and most commits are about other kinds.
    @SuppressWarnings("ReferenceEquality") // comparing by value would cost more than it spares
    private static <T> boolean areSame(List<T> one, List<T> other) {
        if (one.size() != other.size()) {
            return false;
        }
        for (int i = 0; i < one.size(); i++) {
            if (one.get(i) != other.get(i)) {
                return false;
            }
        }
        return true;
    }
}
