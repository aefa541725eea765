package dev.gantry.image;

import dev.gantry.cri.oci.Digest;
import dev.gantry.storage.ContentStore;
import dev.gantry.storage.Ingest;
import dev.gantry.storage.StorageException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// The content store for those who can wait: another pull may be storing the same blob at this moment, or the garbage
/// collector may be about to find out that it is wanted again.
final class PatientStore {

    private static final Duration PAUSE = Duration.ofMillis(20);
    private static final int ATTEMPTS = 500;

    private PatientStore() {}

    /// As [ContentStore#put]: for documents.
    static void put(ContentStore content, byte[] bytes, List<Digest> children) {
        retry(() -> content.put(bytes, children, Map.of()));
    }

    /// As [ContentStore#ingest].
    static Ingest ingest(ContentStore content, Digest digest, long size) {
        return retry(() -> content.ingest(digest, size));
    }

    private static <T> T retry(Supplier<T> step) {
        for (int attempt = 1; ; attempt++) {
            try {
                return step.get();
            } catch (StorageException.InUse e) {
                if (attempt == ATTEMPTS) {
                    throw e;
                }
                Registries.sleep(PAUSE, "a blob that is being stored");
            }
        }
    }
}
