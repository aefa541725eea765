package dev.gantry.storage;

import dev.gantry.linux.ErrnoException;
import dev.gantry.linux.FileSystems;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/// An open RocksDB with one column family for each table, and every native object that belongs to it.
///
/// A call on a closed RocksDB kills the process, so every call holds the read side of a lock, and [#close] waits
/// until the last one has returned it.
///
/// RocksDB makes a writer wait while its memory is full of rows that are yet to go to files, and on a full disk that
/// is until somebody makes space. So it must not: writes wait here, and not for ever.
final class Database implements AutoCloseable {

    /// How long a write waits for those before it to go to files. A mebibyte takes that long on a slow disk.
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /// The same after a flush has failed, as RocksDB tries again only every few seconds, if there is space.
    private static final Duration PATIENCE_AFTER_FAILURE = Duration.ofMillis(500);

    private static final Duration PAUSE = Duration.ofMillis(1);

    /// What a flush may need at most.
    private static final long FLUSH_BYTES = 4 << 20;

    private static final String DEFAULT_FAMILY = new String(RocksDB.DEFAULT_COLUMN_FAMILY, StandardCharsets.UTF_8);

    private final Path directory;

    /// Guards `closed`, and with it all that [#close] closes.
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    private final Deque<AutoCloseable> natives = new ArrayDeque<>();
    private final Map<String, ColumnFamilyHandle> families = new HashMap<>();
    private final WriteOptions unsynced;
    private final ReadOptions scanning;
    private final RocksDB db;
    private boolean closed;

    private Database(Path directory, Set<String> tables) throws RocksDBException {
        this.directory = directory;
        try {
            DatabaseOptions options = owned(new DatabaseOptions());
            unsynced = owned(new WriteOptions().setNoSlowdown(true));
            scanning = owned(new ReadOptions().setFillCache(false));
            List<ColumnFamilyDescriptor> descriptors = new ArrayList<>();
            for (String table : allFamilies(directory, tables)) {
                descriptors.add(new ColumnFamilyDescriptor(utf8(table), options.family()));
            }
            List<ColumnFamilyHandle> handles = new ArrayList<>();
            db = owned(RocksDB.open(options.database(), directory.toString(), descriptors, handles));
            for (int i = 0; i < handles.size(); i++) {
                String table = new String(descriptors.get(i).getName(), StandardCharsets.UTF_8);
                families.put(table, owned(handles.get(i)));
            }
        } catch (RocksDBException | RuntimeException e) {
            closeNatives();
            throw e;
        }
    }

    /// Opens the database and makes the tables that it lacks. Tables of which we know nothing (a newer program made
    /// them) are opened too, because RocksDB insists, and left alone.
    static Database open(Path directory, Set<String> tables) {
        RocksDB.loadLibrary(); // from java.library.path if it is there, else unpacked from the jar (17 MB, each time)
        try {
            return new Database(directory, tables);
        } catch (RocksDBException e) {
            throw failure("open store " + directory, e);
        }
    }

    private static Set<String> allFamilies(Path directory, Set<String> tables) throws RocksDBException {
        Set<String> all = new LinkedHashSet<>();
        all.add(DEFAULT_FAMILY);
        try (Options options = new Options()) {
            for (byte[] name : RocksDB.listColumnFamilies(options, directory.toString())) {
                all.add(new String(name, StandardCharsets.UTF_8));
            }
        }
        all.addAll(tables);
        return all;
    }

    /// Calls back with every row of the table, sorted by key.
    void scan(String table, BiConsumer<String, byte[]> row) {
        try (Lease _ = lease();
                RocksIterator rows = db.newIterator(family(table), scanning)) {
            for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                row.accept(new String(rows.key(), StandardCharsets.UTF_8), rows.value());
            }
            rows.status();
        } catch (RocksDBException e) {
            throw failure("read table %s of store %s".formatted(table, directory), e);
        }
    }

    byte @Nullable [] get(String table, String key) {
        try (Lease _ = lease()) {
            return db.get(family(table), utf8(key));
        } catch (RocksDBException e) {
            throw failure("read %s of store %s".formatted(key, directory), e);
        }
    }

    /// Appends the rows to the log, all or none; [#sync] makes them durable. Null values delete.
    void write(List<Row> rows) {
        try (Lease _ = lease();
                WriteBatch batch = new WriteBatch()) {
            for (Row row : rows) {
                if (row.value() == null) {
                    batch.delete(family(row.table()), utf8(row.key()));
                } else {
                    batch.put(family(row.table()), utf8(row.key()), row.value());
                }
            }
            write(batch);
        } catch (RocksDBException e) {
            throw failure("write to store " + directory, e);
        }
    }

    private void write(WriteBatch batch) throws RocksDBException {
        long start = System.nanoTime();
        while (!accepts(batch)) {
            long waited = System.nanoTime() - start;
            boolean failing = db.getLongProperty("rocksdb.background-errors") > 0;
            if (waited > (failing ? PATIENCE_AFTER_FAILURE : PATIENCE).toNanos()) {
                throw stalled();
            }
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }

    /// Writes, unless that would have to wait.
    private boolean accepts(WriteBatch batch) throws RocksDBException {
        try {
            db.write(unsynced, batch);
            return true;
        } catch (RocksDBException e) {
            if (e.getStatus() != null && e.getStatus().getCode() == Status.Code.Incomplete) {
                return false;
            }
            throw e;
        }
    }

    /// Why RocksDB takes no rows. It does not say, so the disk is asked.
    private StorageException stalled() {
        String attempted = "write to store " + directory;
        try {
            IOException cause = new IOException("what was written before does not get into files");
            return FileSystems.statfs(directory).freeBytes() < FLUSH_BYTES
                    ? new StorageException.NoSpace(attempted, cause)
                    : new StorageException.Failed(attempted, cause);
        } catch (ErrnoException e) {
            return Failures.of(attempted, e);
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared, never changed
    record Row(String table, String key, byte @Nullable [] value) {}

    Path directory() {
        return directory;
    }

    /// Returns when everything that was written before the call is on the disk. Does not hold up writers.
    void sync() {
        try (Lease _ = lease()) {
            db.syncWal();
        } catch (RocksDBException e) {
            throw failure("sync store " + directory, e);
        }
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                closed = true;
                closeNatives();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    private void closeNatives() {
        for (AutoCloseable object = natives.pollFirst(); object != null; object = natives.pollFirst()) {
            try {
                object.close();
            } catch (Exception e) {
                throw new IllegalStateException("cannot close store " + directory, e); // native objects throw nothing
            }
        }
    }

    private <T extends AutoCloseable> T owned(T object) {
        natives.push(object);
        return object;
    }

    private ColumnFamilyHandle family(String table) {
        ColumnFamilyHandle family = families.get(table);
        if (family == null) {
            throw new IllegalArgumentException("store %s has no table %s".formatted(directory, table));
        }
        return family;
    }

    private Lease lease() {
        lock.readLock().lock();
        if (closed) {
            lock.readLock().unlock();
            throw new StorageException.Closed(directory);
        }
        return lock.readLock()::unlock;
    }

    @FunctionalInterface
    private interface Lease extends AutoCloseable {
        @Override
        void close();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static StorageException failure(String attempted, RocksDBException e) {
        Status status = e.getStatus();
        if (status == null) {
            return new StorageException.Failed(attempted, e);
        }
        if (status.getSubCode() == Status.SubCode.NoSpace || Failures.saysFull(e)) {
            return new StorageException.NoSpace(attempted, e);
        }
        return status.getCode() == Status.Code.Corruption
                ? new StorageException.Corrupt("cannot " + attempted + ": " + e.getMessage(), e)
                : new StorageException.Failed(attempted, e);
    }
}
