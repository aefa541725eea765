package dev.gantry.storage;

import dev.gantry.linux.LockFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// All objects that survive a restart, in one RocksDB, each kind in a column family of its own under
/// `v1/k8s.io/<kind>/<key>`.
///
/// Readers take [#view] and lock nothing. A commit is one batch and one new view. When a commit has returned, its
/// change is in the view and on the disk as its [Durability] says; what another thread committed as synced is in no
/// view before it is durable, so nobody acts on what a power cut takes back. Changes reach the log, the disk and
/// the view in one order. Synced commits that run at the same time share one fsync.
///
/// Some space is kept for a full disk, which commits that add nothing use once there is no other.
///
/// When a commit is refused, nothing has changed. When the disk failed it, its change is in no view for now, and
/// the next commit first reopens the database and rereads it, because only the disk knows what was kept.
///
/// One process at a time holds the directory. After [#close] every call that needs the disk throws
/// [StorageException.Closed]; views stay readable. Thread-safe.
public final class MetadataStore implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(MetadataStore.class);

    private static final String FORMAT = "1";
    private static final String FORMAT_KEY = "v1/format";
    private static final String WRITTEN_BY_KEY = "v1/written-by";
    private static final String META = "meta";
    private static final String BLOBS = "blobs";
    private static final String NAMESPACE = "v1/k8s.io/";

    private final Path directory;
    private final List<Kind<?>> kinds;
    private final LockFile holder;
    private final Reserve reserve;
    private final ReentrantLock writer = new ReentrantLock();
    private final List<Consumer<Commit>> watchers = new CopyOnWriteArrayList<>();

    // Written under `writer` alone.
    private volatile Database database;
    private volatile Publication publication;
    private volatile List<SetAside> setAside = List.of();
    private View head;
    private boolean closed;

    private MetadataStore(Path directory, List<Kind<?>> kinds, LockFile holder, Reserve reserve) {
        this.directory = directory;
        this.kinds = kinds;
        this.holder = holder;
        this.reserve = reserve;
        this.database = Database.open(directory, tables(kinds));
        try {
            checkFormat();
            this.head = load(0);
            this.publication = new Publication(database, head, watchers);
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
    }

    /// Opens the store in `directory`, which is made (mode 0700) if it is not there.
    ///
    /// @param kinds what the other modules keep; those of this module are always there
    /// @throws StorageException.Locked if another process, or this one, has it open
    /// @throws StorageException.WrongFormat if a program with another format wrote it
    public static MetadataStore open(Path directory, List<? extends Kind<?>> kinds) {
        Directories.make(directory);
        LockFile holder = StoreLock.take(directory);
        try {
            MetadataStore store = open(directory, withOwn(kinds), holder);
            store.keepReserve();
            return store;
        } catch (RuntimeException e) {
            holder.close();
            throw e;
        }
    }

    private static MetadataStore open(Path directory, List<Kind<?>> kinds, LockFile holder) {
        Reserve reserve = new Reserve(directory);
        try {
            return new MetadataStore(directory, kinds, holder, reserve);
        } catch (StorageException.NoSpace e) {
            if (!reserve.release()) {
                throw e;
            }
            try {
                return new MetadataStore(directory, kinds, holder, reserve);
            } finally {
                reserve.keepRest();
            }
        }
    }

    /// The newest state. Never blocks.
    public View view() {
        return publication.view();
    }

    /// As [#commit(Change, Durability)] with [Durability#SYNCED].
    public void commit(Change change) {
        commit(change, Durability.SYNCED);
    }

    /// Makes the change, whole or not at all.
    ///
    /// @throws StorageException.AlreadyExists if an index key of the change is taken; nothing was changed then
    /// @throws StorageException.NoSpace if the disk is full; nothing was changed then
    public void commit(Change change, Durability durability) {
        update(_ -> new Update<>(change, change, durability));
    }

    /// Decides by looking and changes, with nobody in between: `step` runs under the writer's lock and sees all
    /// changes before it, those included that are not yet durable. So it must be quick and must not wait; on a
    /// full disk it may run again. Returns when the view that the step saw, and the change it made, are visible;
    /// without a change that is at once, or one fsync.
    public <R> R update(Function<View, Update<R>> step) {
        Appended<R> appended = append(step);
        appended.ticket().await();
        return appended.result();
    }

    /// A change that is in the log.
    public interface Pending {

        /// Returns when the change is visible and durable. The fsync is made by whoever waits.
        ///
        /// @throws StorageException if the disk failed; nobody knows then whether the change is on it
        void await();
    }

    /// Makes the change as far as [Durability#BUFFERED] promises and returns; nobody sees it before it is durable,
    /// which [Pending#await] waits for. For work that may go on meanwhile.
    ///
    /// @throws StorageException.AlreadyExists if an index key of the change is taken; nothing was changed then
    /// @throws StorageException.NoSpace if the disk is full; nothing was changed then
    public Pending begin(Change change) {
        return append(_ -> new Update<>(change, change, Durability.SYNCED)).ticket()::await;
    }

    private record Appended<R>(Publication.Ticket ticket, R result) {}

    private <R> Appended<R> append(Function<View, Update<R>> step) {
        writer.lock();
        try {
            return attempt(step);
        } catch (StorageException.NoSpace e) {
            if (step.apply(head).change().addsTo(head) || !reserve.release()) {
                throw e;
            }
            try {
                return attempt(step); // it may be what makes room
            } finally {
                reserve.keepRest();
            }
        } finally {
            writer.unlock();
        }
    }

    private <R> Appended<R> attempt(Function<View, Update<R>> step) {
        recover();
        Update<R> update = step.apply(head);
        Optional<Commit> commit = Optional.empty();
        if (!update.change().isEmpty()) {
            View next = head.after(update.change());
            append(update.change());
            commit = Optional.of(new Commit(head, next, update.change()));
            head = next;
        }
        return new Appended<>(publication.enqueue(head, update.durability(), commit), update.result());
    }

    /// Sets space aside for removals on a full disk, if what there was has been used and there is enough again.
    /// Takes some milliseconds.
    void keepReserve() {
        reserve.keep();
    }

    /// Has `watcher` told of each commit as it becomes visible, in their order. It is called while others wait to
    /// commit, so it must be quick and must not come back to the store. A commit that the disk failed
    /// is not told, even if it turns out to be kept.
    public void watch(Consumer<Commit> watcher) {
        watchers.add(watcher);
    }

    /// The rows that could not be decoded when the store was opened. They are still on disk.
    public List<SetAside> setAside() {
        return setAside;
    }

    /// The bytes of a blob that a change has put, from the disk.
    byte @Nullable [] blob(String key) {
        return database.get(BLOBS, key);
    }

    Path directory() {
        return directory;
    }

    /// Waits for the calls that are under way, and makes all buffered changes durable.
    @Override
    public void close() {
        writer.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            try (holder;
                    Database open = database) {
                open.sync();
            } catch (StorageException.Closed _) {
                // a failed reopening had closed it already
            }
        } finally {
            writer.unlock();
        }
    }

    private void append(Change change) {
        List<Database.Row> rows = new ArrayList<>();
        for (Change.Operation operation : change.operations()) {
            rows.add(
                    switch (operation) {
                        case Change.Operation.Put<?> put ->
                            new Database.Row(put.kind().name(), rowKey(put.kind(), put.key()), put.bytes());
                        case Change.Operation.Delete(Kind<?> kind, String key) ->
                            new Database.Row(kind.name(), rowKey(kind, key), null);
                        case Change.Operation.PutBlob(String key, byte[] bytes) -> new Database.Row(BLOBS, key, bytes);
                        case Change.Operation.DeleteBlob(String key) -> new Database.Row(BLOBS, key, null);
                    });
        }
        try {
            database.write(rows);
        } catch (StorageException e) {
            publication.fail(e);
            throw e;
        }
    }

    /// After a failed write or sync: nobody knows how much of the log is on the disk, so it is asked.
    private void recover() {
        if (closed) {
            throw new StorageException.Closed(directory);
        }
        if (!publication.hasFailed()) {
            return;
        }
        database.close();
        database = Database.open(directory, tables(kinds));
        head = load(head.revision() + 1);
        publication = new Publication(database, head, watchers);
        log.atInfo().addKeyValue("store", directory).log("store opened again after a disk failure");
    }

    private View load(long revision) {
        List<SetAside> unreadable = new ArrayList<>();
        List<Table<?>> tables = new ArrayList<>();
        for (Kind<?> kind : kinds) {
            tables.add(load(kind, unreadable));
        }
        setAside = List.copyOf(unreadable);
        return View.of(revision, tables);
    }

    private <T> Table<T> load(Kind<T> kind, List<SetAside> unreadable) {
        var loaded = new Object() {
            Table<T> table = Table.empty(kind);
        };
        String prefix = rowKey(kind, "");
        database.scan(kind.name(), (rowKey, bytes) -> {
            try {
                T value = kind.codec().decode(bytes);
                String key = kind.key().apply(value);
                if (!rowKey.equals(prefix + key)) {
                    throw new StorageException.Corrupt("the object in the row has the key " + key, null);
                }
                loaded.table = loaded.table.with(key, value);
            } catch (RuntimeException e) {
                unreadable.add(new SetAside(rowKey, e.toString()));
                log.atWarn().addKeyValue("row", rowKey).setCause(e).log("row set aside: it cannot be read");
            }
        });
        return loaded.table;
    }

    private void checkFormat() {
        byte[] format = database.get(META, FORMAT_KEY);
        if (format == null) {
            database.write(List.of(
                    new Database.Row(META, FORMAT_KEY, utf8(FORMAT)),
                    new Database.Row(META, WRITTEN_BY_KEY, utf8(program()))));
            database.sync();
            return;
        }
        byte[] writtenBy = database.get(META, WRITTEN_BY_KEY);
        String writer = writtenBy == null ? "an unknown program" : text(writtenBy);
        if (!text(format).equals(FORMAT)) {
            throw new StorageException.WrongFormat(directory, text(format), writer, FORMAT);
        }
        if (!writer.equals(program())) {
            database.write(List.of(new Database.Row(META, WRITTEN_BY_KEY, utf8(program()))));
        }
    }

    private static String program() {
        String version = MetadataStore.class.getPackage().getImplementationVersion();
        return version == null ? "gantry" : "gantry " + version;
    }

    private static Set<String> tables(List<Kind<?>> kinds) {
        Set<String> tables = new LinkedHashSet<>(List.of(META, BLOBS));
        kinds.forEach(kind -> tables.add(kind.name()));
        return tables;
    }

    private static List<Kind<?>> withOwn(List<? extends Kind<?>> kinds) {
        List<Kind<?>> all = new ArrayList<>(
                List.of(ContentStore.KIND, OverlaySnapshotter.KIND, NativeSnapshotter.KIND, Leases.KIND));
        all.addAll(kinds);
        Map<String, Kind<?>> byName = new LinkedHashMap<>();
        for (Kind<?> kind : all) {
            Kind<?> other = byName.putIfAbsent(kind.name(), kind);
            if ((other != null && !other.equals(kind))
                    || Set.of(META, BLOBS, "default").contains(kind.name())) {
                throw new IllegalArgumentException("the name %s is taken twice".formatted(kind.name()));
            }
        }
        return List.copyOf(byName.values());
    }

    private static String rowKey(Kind<?> kind, String key) {
        return NAMESPACE + kind.name() + "/" + key;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }
}
