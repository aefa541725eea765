package dev.gantry.storage;

import dev.gantry.cri.oci.Digest;
import dev.gantry.linux.FileSystems;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Blobs by digest: layers, manifests, configurations.
///
/// Up to [#INLINE_LIMIT] bytes lie in the database, larger ones in `blobs/sha256/<hex>`. A blob's row is written
/// last, when its bytes have been verified and are on the disk, so what [#find] finds is whole, after a power cut
/// too. What is being fetched lies in `ingest/<hex>` until then and can be resumed. Thread-safe.
///
/// A blob that nothing refers to is collected: take a lease on its digest before looking whether it is there.
public final class ContentStore {

    /// The rows, so that others can follow them in a view.
    public static final Kind<Blob> KIND =
            new Kind<>("content", blob -> blob.digest().toString(), new Blob.Stored());

    /// The largest blob that lies in the database, in bytes.
    public static final int INLINE_LIMIT = 64 * 1024;

    private static final Logger log = LoggerFactory.getLogger(ContentStore.class);
    private static final Set<PosixFilePermission> READABLE = PosixFilePermissions.fromString("r--r--r--");

    private final Path blobs;
    private final Path ingests;
    private final MetadataStore store;
    private final DigestClaims claims = new DigestClaims();
    private final List<SetAside> dropped = new ArrayList<>(); // complete when open returns

    private ContentStore(Path directory, MetadataStore store) {
        this.blobs = directory.resolve("blobs").resolve("sha256");
        this.ingests = directory.resolve("ingest");
        this.store = store;
    }

    /// Opens the content in `directory`, whose rows are in `store`. Files that a crash left without a row are
    /// removed; rows whose file is missing or has another size are dropped, as their blob can be fetched again (see
    /// [#dropped]).
    public static ContentStore open(Path directory, MetadataStore store) {
        ContentStore content = new ContentStore(directory, store);
        Directories.make(content.blobs);
        Directories.make(content.ingests);
        Failures.guard("compare blobs in " + directory, content::reconcile);
        return content;
    }

    public Optional<Blob> find(Digest digest) {
        return store.view().find(KIND, digest.toString());
    }

    public Collection<Blob> list() {
        return store.view().all(KIND);
    }

    /// The blob's bytes; the caller closes the stream, which survives the blob's removal.
    ///
    /// @throws StorageException.NotFound if the blob is not there
    public InputStream open(Digest digest) {
        Blob blob = find(digest).orElseThrow(() -> new StorageException.NotFound("blob", digest));
        if (blob.inline()) {
            return new ByteArrayInputStream(inlineBytes(digest));
        }
        try {
            return Files.newInputStream(file(digest));
        } catch (NoSuchFileException e) {
            throw new StorageException.NotFound("blob", digest); // removed since
        } catch (IOException e) {
            throw Failures.of("open blob " + digest, e);
        }
    }

    /// All of a blob that has at most `limit` bytes.
    ///
    /// @throws StorageException.SizeMismatch if it is larger
    public byte[] read(Digest digest, int limit) {
        try (InputStream bytes = open(digest)) {
            byte[] all = bytes.readNBytes(limit);
            if (bytes.read() >= 0) {
                throw new StorageException.SizeMismatch(
                        "blob " + digest, limit, find(digest).map(Blob::size).orElse(limit + 1L));
            }
            return all;
        } catch (IOException e) {
            throw Failures.of("read blob " + digest, e);
        }
    }

    /// Makes a file with the blob's bytes, which all may read: another name of the blob's own file where that is on one
    /// file system with it. Whoever could write to the one would change the other. It outlives the blob's removal.
    ///
    /// @throws StorageException.NotFound if the blob is not there
    public void place(Digest digest, Path target) {
        Blob blob = find(digest).orElseThrow(() -> new StorageException.NotFound("blob", digest));
        Failures.guard("make " + target + " of blob " + digest, () -> {
            if (blob.inline()) {
                Files.write(target, inlineBytes(digest), StandardOpenOption.CREATE_NEW);
            } else {
                linkOrCopy(digest, target);
            }
            Files.setPosixFilePermissions(target, READABLE);
        });
    }

    private void linkOrCopy(Digest digest, Path target) throws IOException {
        try {
            Files.createLink(target, file(digest));
        } catch (NoSuchFileException e) {
            throw new StorageException.NotFound("blob", digest); // removed since
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (FileSystemException _) {
            // Another file system, one without links, or too many of them.
            Files.copy(file(digest), target);
        }
    }

    /// Begins to store a blob, or goes on where an earlier attempt was cut off.
    ///
    /// @param size the announced size in bytes, -1 if unknown
    /// @throws StorageException.AlreadyExists if the blob is there
    /// @throws StorageException.InUse if another ingest of it is open
    public Ingest ingest(Digest expected, long size) {
        if (!claims.claimForIngest(expected)) {
            throw new StorageException.InUse("blob", expected, "it is being stored by another caller");
        }
        try {
            if (find(expected).isPresent()) {
                throw new StorageException.AlreadyExists("blob", expected);
            }
            return new Ingest(this, expected, size, ingests.resolve(expected.hex()));
        } catch (RuntimeException e) {
            claims.release(expected);
            throw e;
        }
    }

    /// Stores a blob that is in memory; that it is there already is fine.
    public Blob put(byte[] bytes, List<Digest> children, Map<String, String> labels) {
        Digest digest = Digest.of(bytes);
        Optional<Blob> present = find(digest);
        if (present.isPresent()) {
            return present.get();
        }
        try (Ingest ingest = ingest(digest, bytes.length)) {
            ingest.restart();
            ingest.write(bytes, 0, bytes.length);
            return ingest.commit(children, labels);
        } catch (StorageException.AlreadyExists e) {
            return find(digest).orElseThrow(() -> e);
        }
    }

    /// Removes the blob, whoever refers to it; absent is fine.
    ///
    /// @throws StorageException.InUse if it is being stored
    public void remove(Digest digest) {
        if (!claims.claimForRemoval(digest)) {
            throw new StorageException.InUse("blob", digest, "it is being stored or removed");
        }
        try {
            store.commit(
                    Change.empty().delete(KIND, digest.toString()).deleteBlob(digest.toString()), Durability.BUFFERED);
            delete(file(digest));
        } finally {
            claims.release(digest);
        }
    }

    /// Rows that were dropped when the store was opened, because their file was missing or cut short.
    public List<SetAside> dropped() {
        return List.copyOf(dropped);
    }

    /// Removes every blob that was there before `start` and is not in what `kept` answers for the newest view;
    /// decided and removed from the view in one step, so that a lease taken before that counts.
    Collected.Part sweep(Function<View, Set<Digest>> kept, Instant start) {
        View seen = store.view();
        List<Blob> claimed = garbage(seen, kept.apply(seen), start).stream()
                .filter(blob -> claims.claimForRemoval(blob.digest()))
                .toList();
        try {
            if (claimed.isEmpty()) {
                return Collected.Part.NOTHING;
            }
            List<Blob> gone = store.update(view -> {
                List<Blob> garbage = garbage(view, kept.apply(view), start);
                garbage.retainAll(claimed);
                Change change = Change.empty();
                for (Blob blob : garbage) {
                    String key = blob.digest().toString();
                    change = change.delete(KIND, key).deleteBlob(key);
                }
                return Update.of(change, garbage);
            });
            gone.forEach(blob -> delete(file(blob.digest())));
            return new Collected.Part(
                    gone.size(), gone.stream().mapToLong(Blob::size).sum());
        } finally {
            claimed.forEach(blob -> claims.release(blob.digest()));
        }
    }

    private static List<Blob> garbage(View view, Set<Digest> kept, Instant start) {
        List<Blob> garbage = new ArrayList<>();
        for (Blob blob : view.all(KIND)) {
            if (!kept.contains(blob.digest()) && blob.created().isBefore(start)) {
                garbage.add(blob);
            }
        }
        return garbage;
    }

    /// Removes what cut-off attempts left and nobody has resumed for so long.
    void dropIngestsOlderThan(Duration age) {
        Instant limit = Instant.now().minus(age);
        Failures.guard("list " + ingests, () -> {
            for (Path file : files(ingests)) {
                Digest digest = new Digest("sha256", file.getFileName().toString());
                if (Files.getLastModifiedTime(file).toInstant().isBefore(limit) && claims.claimForRemoval(digest)) {
                    delete(file);
                    claims.release(digest);
                }
            }
        });
    }

    /// Makes a whole and synced file, or bytes in memory, a blob.
    void publish(Blob blob, Path file) {
        Path target = file(blob.digest());
        try {
            Failures.guard("store blob " + blob.digest(), () -> {
                Files.move(file, target);
                FileSystems.syncDirectory(blobs);
            });
            store.commit(Change.empty().put(KIND, blob));
        } catch (RuntimeException e) {
            Failures.undo(e, () -> delete(target));
            throw e;
        }
    }

    void publish(Blob blob, byte[] bytes) {
        store.commit(Change.empty().put(KIND, blob).putBlob(blob.digest().toString(), bytes));
    }

    void release(Digest digest) {
        claims.release(digest);
    }

    private void reconcile() throws IOException {
        View view = store.view();
        for (Path file : files(blobs)) {
            String digest = "sha256:" + file.getFileName();
            if (view.find(KIND, digest).filter(blob -> !blob.inline()).isEmpty()) {
                log.atInfo().addKeyValue("file", file).log("file removed: no blob was recorded for it");
                delete(file);
            }
        }
        Change drop = Change.empty();
        for (Blob blob : view.all(KIND)) {
            Optional<String> fault = blob.inline() ? Optional.empty() : fault(blob);
            if (fault.isPresent()) {
                dropped.add(new SetAside("content/" + blob.digest(), fault.get()));
                log.atWarn().addKeyValue("blob", blob.digest()).log("blob dropped: {}", fault.get());
                drop = drop.delete(KIND, blob.digest().toString());
            }
        }
        store.commit(drop);
    }

    private Optional<String> fault(Blob blob) throws IOException {
        Path file = file(blob.digest());
        if (!Files.isRegularFile(file)) {
            return Optional.of("its file is missing");
        }
        long size = Files.size(file);
        return size == blob.size()
                ? Optional.empty()
                : Optional.of("its file has %d bytes, not %d".formatted(size, blob.size()));
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    private byte[] inlineBytes(Digest digest) {
        byte[] bytes = store.blob(digest.toString());
        if (bytes == null) {
            throw new StorageException.NotFound("blob", digest); // removed since
        }
        return bytes;
    }

    private Path file(Digest digest) {
        return blobs.resolve(digest.hex());
    }

    private static void delete(Path file) {
        Failures.guard("remove " + file, () -> Files.deleteIfExists(file));
    }
}
