package dev.gantry.image;

import dev.gantry.cri.oci.Descriptor;
import dev.gantry.storage.ContentStore;
import dev.gantry.storage.Ingest;
import dev.gantry.storage.StorageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A blob on its way from a registry into the content store, which others read while it arrives.
///
/// The readers ([BlobTail]) take the bytes from the growing file, that is from the page cache: so unpacking never slows
/// the network down, may begin late, and nothing waits in the heap. What they read is not verified until [#await] has
/// returned. A download that goes on where an earlier one was cut off is read only when it is whole, because what was
/// kept may turn out to be wrong.
///
/// `lock` guards all mutable fields and the ingest.
final class BlobDownload implements SharedWork.Task {

    private static final Logger log = LoggerFactory.getLogger(BlobDownload.class);

    private static final int BUFFER = 64 * 1024;
    private static final int ATTEMPTS = 6;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    /// Waking the reader for every piece would cost more than reading.
    private static final int WAKE_EVERY = 256 * 1024;

    private final Repository repository;
    private final Descriptor descriptor;
    private final ContentStore content;
    private final List<LongConsumer> watchers = new CopyOnWriteArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable Ingest readable;
    private long received;
    private boolean finished;
    private @Nullable RuntimeException failure;

    BlobDownload(Repository repository, Descriptor descriptor, ContentStore content) {
        this.repository = repository;
        this.descriptor = descriptor;
        this.content = content;
    }

    Descriptor descriptor() {
        return descriptor;
    }

    /// The watcher hears how many bytes have arrived, on the downloading thread.
    void watch(LongConsumer watcher) {
        watchers.add(watcher);
    }

    /// Fetches, verifies and commits the blob, on the calling thread. Failures go to those who wait.
    @Override
    public void run() {
        RuntimeException problem = null;
        try {
            if (content.find(descriptor.digest()).isEmpty()) {
                fetch();
            }
        } catch (RuntimeException e) {
            problem = e;
        } catch (Error e) {
            problem = new IllegalStateException("cannot fetch blob " + descriptor.digest(), e);
            throw e;
        } finally {
            finish(problem);
        }
    }

    /// Ends what was never begun.
    @Override
    public void cancel() {
        finish(new ImageException.Cancelled("fetching blob " + descriptor.digest()));
    }

    @Override
    public boolean hasFailed() {
        lock.lock();
        try {
            return failure != null;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void dispose() {
        // What came of a cancelled download is kept by the content store, to be resumed.
    }

    private void finish(@Nullable RuntimeException problem) {
        lock.lock();
        try {
            if (!finished) {
                finished = true;
                failure = problem;
            }
            readable = null;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void fetch() {
        try (Ingest ingest = PatientStore.ingest(content, descriptor.digest(), descriptor.size())) {
            boolean resumed = ingest.offset() > 0;
            offerToReaders(resumed ? null : ingest);
            try {
                transfer(ingest);
            } finally {
                offerToReaders(null); // its file is about to be closed and moved
            }
            ingest.commit(List.of(), Map.of());
        } catch (StorageException.DigestMismatch e) {
            throw new ImageException.BadContent(
                    "layer %s of %s is not what the registry sent: %s"
                            .formatted(descriptor.digest(), repository.reference(), e.getMessage()),
                    e);
        } catch (StorageException.SizeMismatch e) {
            throw new ImageException.BadContent(
                    "layer %s of %s: the registry sent more or fewer than the announced %d bytes"
                            .formatted(descriptor.digest(), repository.reference(), descriptor.size()),
                    e);
        } catch (StorageException.AlreadyExists e) {
            log.atDebug().addKeyValue("blob", descriptor.digest()).log("fetched meanwhile by another");
        }
    }

    private void offerToReaders(@Nullable Ingest ingest) {
        lock.lock();
        try {
            readable = ingest;
        } finally {
            lock.unlock();
        }
    }

    /// Reads the body to its end; where it breaks off, asks for the rest. Only attempts that bring nothing count.
    private void transfer(Ingest ingest) {
        Duration pause = FIRST_PAUSE;
        int fruitless = 0;
        while (ingest.offset() < descriptor.size()) {
            long before = ingest.offset();
            IOException cut = null;
            try (InputStream body = repository.blob(descriptor, before)) {
                copy(body, ingest);
            } catch (InterruptedIOException _) {
                throw new ImageException.Cancelled("fetching blob " + descriptor.digest());
            } catch (HttpTimeoutException _) {
                throw repository.timedOut(descriptor);
            } catch (IOException e) {
                cut = e;
            }
            if (ingest.offset() == descriptor.size()) {
                return;
            }
            boolean progress = ingest.offset() > before;
            fruitless = progress ? 0 : fruitless + 1;
            pause = progress ? FIRST_PAUSE : pause.multipliedBy(2);
            if (fruitless >= ATTEMPTS) {
                throw repository.cutOff(descriptor, ingest.offset(), cut);
            }
            log.atDebug()
                    .addKeyValue("blob", descriptor.digest())
                    .addKeyValue("offset", ingest.offset())
                    .log("the transfer broke off, asking for the rest");
            Registries.sleep(pause, "blob " + descriptor.digest());
        }
    }

    private void copy(InputStream body, Ingest ingest) throws IOException {
        byte[] buffer = new byte[BUFFER];
        for (int count = body.read(buffer); count >= 0; count = body.read(buffer)) {
            store(ingest, buffer, count);
            for (LongConsumer watcher : watchers) {
                watcher.accept(ingest.offset());
            }
        }
    }

    private void store(Ingest ingest, byte[] bytes, int count) {
        lock.lock();
        try {
            ingest.write(bytes, 0, count);
            long woken = received / WAKE_EVERY;
            received = ingest.offset();
            if (received / WAKE_EVERY > woken) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Waits until the blob is in the content store.
    ///
    /// @throws RuntimeException whatever made the download fail
    void await() throws InterruptedException {
        lock.lock();
        try {
            while (!finished) {
                changed.await();
            }
            throwFailure();
        } finally {
            lock.unlock();
        }
    }

    /// A stream from the beginning. Its length is what has come; ask [#awaitBeyond] before reading.
    InputStream open() throws InterruptedException {
        lock.lock();
        try {
            while (!finished && (readable == null || received <= ContentStore.INLINE_LIMIT)) {
                changed.await();
            }
            throwFailure();
            Ingest ingest = readable;
            return ingest == null ? content.open(descriptor.digest()) : ingest.soFar();
        } finally {
            lock.unlock();
        }
    }

    /// Waits until there is something after a position, and answers up to where; -1 if nothing will come.
    long awaitBeyond(long position) throws InterruptedException {
        lock.lock();
        try {
            while (!finished && received <= position) {
                changed.await();
            }
            throwFailure();
            long end = finished ? descriptor.size() : received;
            return end > position ? end : -1;
        } finally {
            lock.unlock();
        }
    }

    /// Throws the failure, if there is one by now.
    void throwFailure() {
        lock.lock();
        try {
            if (failure != null) {
                throw failure;
            }
        } finally {
            lock.unlock();
        }
    }
}
