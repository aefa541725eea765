package dev.gantry.storage;

import dev.gantry.cri.oci.Digest;
import dev.gantry.linux.Sha256;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A blob on its way into the [ContentStore]. The bytes are hashed as they come; [#commit] verifies them.
///
/// Up to [ContentStore#INLINE_LIMIT] bytes are held in memory, more go to a file, which [#close] keeps for the next
/// attempt and [#discard] removes. A failed write or commit discards. Not thread-safe.
public final class Ingest implements AutoCloseable {

    private static final int BUFFER = 64 * 1024;

    private final ContentStore content;
    private final Digest expected;
    private final long size;
    private final Path file;
    private Sha256 hash = Sha256.create();
    private long offset;

    /// What came so far, until it is too much and moves to `out`.
    private ByteArrayOutputStream memory = new ByteArrayOutputStream();

    private @Nullable FileOutputStream out;
    private boolean ended;

    Ingest(ContentStore content, Digest expected, long size, Path file) {
        this.content = content;
        this.expected = expected;
        this.size = size;
        this.file = file;
        Failures.guard("resume blob " + expected, this::resume);
    }

    /// How many bytes are there already: fetch from here.
    public long offset() {
        return offset;
    }

    /// The bytes up to [#offset], for whoever also reads the blob as it comes. The caller closes it.
    public InputStream soFar() {
        if (out == null) {
            return new ByteArrayInputStream(memory.toByteArray());
        }
        try {
            return Files.newInputStream(file);
        } catch (IOException e) {
            throw Failures.of("read what came of blob " + expected, e);
        }
    }

    /// Forgets what came so far, for a registry that cannot send the rest alone.
    public void restart() {
        requireOpen();
        closeFile();
        deleteFile();
        hash = Sha256.create();
        memory = new ByteArrayOutputStream();
        offset = 0;
    }

    /// @throws StorageException.SizeMismatch if more comes than was announced
    /// @throws StorageException.NoSpace if the disk is full; what came so far is gone then
    public void write(byte[] bytes, int from, int length) {
        requireOpen();
        if (size >= 0 && offset + length > size) {
            discard();
            throw new StorageException.SizeMismatch("blob " + expected, size, offset + length);
        }
        hash.update(bytes, from, length);
        try {
            Failures.guard("store blob " + expected, () -> append(bytes, from, length));
        } catch (RuntimeException e) {
            Failures.undo(e, this::discard);
            throw e;
        }
        offset += length;
    }

    /// Makes the blob visible. When it returns, bytes and row are on the disk.
    ///
    /// @throws StorageException.DigestMismatch if the bytes are others; they are gone then
    /// @throws StorageException.SizeMismatch if there are fewer bytes than announced; they are kept to be resumed
    /// @throws StorageException.NoSpace if the disk is full; what came is gone then
    public Blob commit(List<Digest> children, Map<String, String> labels) {
        requireOpen();
        if (size >= 0 && offset != size) {
            close();
            throw new StorageException.SizeMismatch("blob " + expected, size, offset);
        }
        Digest actual = new Digest("sha256", HexFormat.of().formatHex(hash.digest()));
        if (!actual.equals(expected)) {
            discard();
            throw new StorageException.DigestMismatch(expected, actual);
        }
        Blob blob = new Blob(expected, offset, Instant.now(), children, labels, out == null);
        try {
            publish(blob);
        } catch (RuntimeException e) {
            Failures.undo(e, this::discard);
            throw e;
        }
        end();
        return blob;
    }

    /// Ends the attempt and removes what came. After [#commit] or [#close] it does nothing.
    public void discard() {
        if (!ended) {
            try {
                closeFile();
                deleteFile();
            } finally {
                end();
            }
        }
    }

    /// Ends the attempt and keeps what came. After [#commit] or [#discard] it does nothing.
    @Override
    public void close() {
        if (!ended) {
            try {
                closeFile();
            } finally {
                end();
            }
        }
    }

    private void publish(Blob blob) {
        FileOutputStream written = out;
        if (written == null) {
            content.publish(blob, memory.toByteArray());
            return;
        }
        Failures.guard("sync blob " + expected, () -> written.getFD().sync());
        closeFile();
        content.publish(blob, file);
    }

    private void append(byte[] bytes, int from, int length) throws IOException {
        if (out == null && offset + length <= ContentStore.INLINE_LIMIT) {
            memory.write(bytes, from, length);
            return;
        }
        if (out == null) {
            out = new FileOutputStream(file.toFile());
            memory.writeTo(out);
            memory = new ByteArrayOutputStream();
        }
        out.write(bytes, from, length);
    }

    /// Takes up what an earlier attempt left, if it can be the beginning of this blob.
    private void resume() throws IOException {
        if (!Files.exists(file)) {
            return;
        }
        long kept = Files.size(file);
        if (kept <= ContentStore.INLINE_LIMIT || (size >= 0 && kept > size)) {
            deleteFile();
            return;
        }
        byte[] buffer = new byte[BUFFER];
        try (InputStream bytes = Files.newInputStream(file)) {
            for (int n = bytes.read(buffer); n >= 0; n = bytes.read(buffer)) {
                hash.update(buffer, 0, n);
                offset += n;
            }
        }
        out = new FileOutputStream(file.toFile(), true);
    }

    private void closeFile() {
        FileOutputStream open = out;
        out = null;
        if (open != null) {
            Failures.guard("close " + file, open::close);
        }
    }

    private void deleteFile() {
        Failures.guard("remove " + file, () -> Files.deleteIfExists(file));
    }

    private void end() {
        ended = true;
        content.release(expected);
    }

    private void requireOpen() {
        if (ended) {
            throw new IllegalStateException("the ingest of blob %s has ended".formatted(expected));
        }
    }
}
