package dev.gantry.storage;

import dev.gantry.cri.oci.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// Works in a store until it is killed, and says what it was promised: a line for each call that returned.
final class StorageVictim {

    private StorageVictim() {}

    /// @param arguments the directory, and a seed
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        Random random = new Random(Long.parseLong(arguments[1]));
        MetadataStore store = MetadataStore.open(directory.resolve("meta"), List.of(Pet.KIND));
        ContentStore content = ContentStore.open(directory.resolve("content"), store);
        Snapshotter snapshots = new OverlaySnapshotter(directory.resolve("snapshots"), store);
        for (int i = 0; ; i++) {
            String id = arguments[1] + "-" + i;
            twins(store, id);
            blob(content, random);
            layer(snapshots, id);
            if (i % 7 == 6) {
                promise("removing", "container " + id); // killed from here on, it may be there or not
                snapshots.remove("container " + id);
                promise("removed", "container " + id);
            }
        }
    }

    private static void twins(MetadataStore store, String id) {
        store.commit(Change.empty()
                .put(Pet.KIND, new Pet(id + "a", id + "a", 1))
                .put(Pet.KIND, new Pet(id + "b", id + "b", 1)));
        promise("twins", id);
    }

    private static void blob(ContentStore content, Random random) {
        byte[] bytes = new byte[random.nextBoolean() ? 1000 : 200_000];
        random.nextBytes(bytes);
        Digest digest = Digest.of(bytes);
        try (Ingest ingest = content.ingest(digest, bytes.length)) {
            for (int at = (int) ingest.offset(); at < bytes.length; at += 10_000) {
                ingest.write(bytes, at, Math.min(10_000, bytes.length - at));
            }
            ingest.commit(List.of(), Map.of());
        }
        promise("blob", digest.toString());
    }

    private static void layer(Snapshotter snapshots, String id) throws IOException {
        Path files = snapshots.prepareLayer("unpacking " + id, Optional.empty());
        Files.writeString(files.resolve("file"), id);
        snapshots.commitLayer("layer " + id, "unpacking " + id, Optional.empty(), Map.of());
        promise("layer", "layer " + id);
        snapshots.prepare("container " + id, Optional.of("layer " + id), Map.of());
        promise("container", "container " + id);
    }

    private static void promise(String what, String key) {
        System.out.println(what + "\t" + key);
        System.out.flush();
    }
}
