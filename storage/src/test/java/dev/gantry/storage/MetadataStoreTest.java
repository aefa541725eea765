package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataStoreTest {

    @TempDir
    private Path directory;

    @Test
    void findsWhatWasWrittenBeforeARestart() {
        Pet cat = new Pet("1", "cat", 3);
        try (MetadataStore store = MetadataStore.open(directory, List.of(Pet.KIND))) {
            store.commit(Change.empty().put(Pet.KIND, cat));
        }

        try (MetadataStore store = MetadataStore.open(directory, List.of(Pet.KIND))) {
            assertThat(store.view().find(Pet.KIND, "1")).contains(cat);
            assertThat(store.view().findBy(Pet.KIND, "name", "cat")).contains(cat);
        }
    }
}
