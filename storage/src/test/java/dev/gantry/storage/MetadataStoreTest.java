package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetadataStoreTest {

    private static final Pet CAT = new Pet("1", "cat", 3);
    private static final Pet DOG = new Pet("2", "dog", 4);

    @TempDir
    private Path directory;

    private MetadataStore open() {
        return MetadataStore.open(directory, List.of(Pet.KIND));
    }

    @Test
    void findsWhatWasWrittenBeforeARestart() {
        try (MetadataStore store = open()) {
            store.commit(Change.empty().put(Pet.KIND, CAT));
            store.commit(Change.empty().put(Pet.KIND, DOG), Durability.BUFFERED);
        }

        try (MetadataStore store = open()) {
            assertThat(store.view().find(Pet.KIND, "1")).contains(CAT);
            assertThat(store.view().findBy(Pet.KIND, "name", "dog")).contains(DOG);
        }
    }

    @Test
    void takesABurstThatIsFasterThanItsFilesAreWritten() {
        String bulk = "x".repeat(1 << 16);
        try (MetadataStore store = open()) {
            for (int i = 0; i < 500; i++) {
                store.commit(Change.empty().put(Pet.KIND, new Pet(i + bulk, "" + i, 1)), Durability.BUFFERED);
            }
        }

        try (MetadataStore store = open()) {
            assertThat(store.view().all(Pet.KIND)).hasSize(500);
        }
    }

    @Test
    void aViewNeverChanges() {
        try (MetadataStore store = open()) {
            store.commit(Change.empty().put(Pet.KIND, CAT));
            View before = store.view();

            store.commit(Change.empty().delete(Pet.KIND, "1").put(Pet.KIND, DOG));

            assertThat(before.all(Pet.KIND)).containsExactly(CAT);
            assertThat(store.view().all(Pet.KIND)).containsExactly(DOG);
            assertThat(store.view().revision()).isEqualTo(before.revision() + 1);
        }
    }

    @Test
    void tellsWatchersOfEachCommitInOrder() {
        try (MetadataStore store = open()) {
            List<Commit.Changed<Pet>> seen = new ArrayList<>();
            store.watch(commit -> seen.addAll(commit.changes(Pet.KIND)));
            Pet older = new Pet("1", "cat", 4);

            store.commit(Change.empty().put(Pet.KIND, CAT), Durability.BUFFERED);
            store.commit(Change.empty().put(Pet.KIND, older).put(Pet.KIND, DOG));
            store.commit(Change.empty().delete(Pet.KIND, "1"));

            assertThat(seen)
                    .containsExactly(
                            new Commit.Changed<>(Optional.empty(), Optional.of(CAT)),
                            new Commit.Changed<>(Optional.of(CAT), Optional.of(older)),
                            new Commit.Changed<>(Optional.empty(), Optional.of(DOG)),
                            new Commit.Changed<>(Optional.of(older), Optional.empty()));
        }
    }

    @Test
    void tellsWatchersOfCommitsThatRanAtTheSameTime() throws Exception {
        try (MetadataStore store = open();
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Long> revisions = new ArrayList<>();
            store.watch(commit -> revisions.add(commit.view().revision()));
            List<Future<?>> commits = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                Pet pet = new Pet("p" + i, "name" + i, i);
                Durability durability = i % 3 == 0 ? Durability.BUFFERED : Durability.SYNCED;
                commits.add(threads.submit(() -> store.commit(Change.empty().put(Pet.KIND, pet), durability)));
            }
            for (Future<?> commit : commits) {
                commit.get();
            }
            store.commit(Change.empty().put(Pet.KIND, DOG));

            assertThat(revisions).isSorted().doesNotHaveDuplicates().hasSize(101);
        }
    }

    @Test
    void refusesANameThatIsTakenAndChangesNothing() {
        try (MetadataStore store = open()) {
            store.commit(Change.empty().put(Pet.KIND, CAT));
            Change change = Change.empty().put(Pet.KIND, DOG).put(Pet.KIND, new Pet("3", "cat", 1));

            assertThatThrownBy(() -> store.commit(change))
                    .isInstanceOf(StorageException.AlreadyExists.class)
                    .hasMessage("cannot store pets 3: name cat is taken by 1");

            assertThat(store.view().all(Pet.KIND)).containsExactly(CAT);
        }
        try (MetadataStore store = open()) {
            assertThat(store.view().all(Pet.KIND)).containsExactly(CAT);
        }
    }

    @Test
    void aNameThatOneOperationFreesCanBeTakenByTheNext() {
        try (MetadataStore store = open()) {
            store.commit(Change.empty().put(Pet.KIND, CAT));

            store.commit(Change.empty().put(Pet.KIND, new Pet("1", "tom", 3)).put(Pet.KIND, new Pet("2", "cat", 1)));

            assertThat(store.view().findBy(Pet.KIND, "name", "cat"))
                    .map(Pet::id)
                    .contains("2");
            assertThat(store.view().findBy(Pet.KIND, "name", "tom"))
                    .map(Pet::id)
                    .contains("1");
        }
    }

    @Test
    void aChangeThatWasBegunIsSeenOnceItIsDurable() {
        try (MetadataStore store = open()) {
            MetadataStore.Pending pending = store.begin(Change.empty().put(Pet.KIND, CAT));

            assertThat(store.view().find(Pet.KIND, "1")).isEmpty();
            assertThatThrownBy(() -> store.begin(Change.empty().put(Pet.KIND, new Pet("2", "cat", 1))))
                    .isInstanceOf(StorageException.AlreadyExists.class);

            pending.await();
            pending.await();

            assertThat(store.view().find(Pet.KIND, "1")).contains(CAT);
        }
    }

    @Test
    void aChangeThatNobodyWaitsForIsKeptAllTheSame() {
        try (MetadataStore store = open()) {
            store.begin(Change.empty().put(Pet.KIND, CAT));
            store.commit(Change.empty().put(Pet.KIND, DOG));

            assertThat(store.view().all(Pet.KIND)).containsExactly(CAT, DOG);
        }
        try (MetadataStore store = open()) {
            assertThat(store.view().all(Pet.KIND)).containsExactly(CAT, DOG);
        }
    }

    @Test
    void findsByPrefix() {
        try (MetadataStore store = open()) {
            store.commit(Change.empty()
                    .put(Pet.KIND, new Pet("ab1", "a", 1))
                    .put(Pet.KIND, new Pet("ab2", "b", 1))
                    .put(Pet.KIND, new Pet("b", "c", 1)));

            assertThat(store.view().withPrefix(Pet.KIND, "ab")).map(Pet::id).containsExactly("ab1", "ab2");
        }
    }

    @Test
    void manyCommittersLoseNothingAndSeeTheirOwnChange() throws Exception {
        try (MetadataStore store = open()) {
            List<Future<?>> committers = new ArrayList<>();
            try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
                for (int t = 0; t < 8; t++) {
                    int thread = t;
                    committers.add(threads.submit(() -> {
                        for (int i = 0; i < 50; i++) {
                            String id = thread + "-" + i;
                            Durability durability = i % 3 == 0 ? Durability.BUFFERED : Durability.SYNCED;
                            store.commit(Change.empty().put(Pet.KIND, new Pet(id, id, i)), durability);
                            assertThat(store.view().find(Pet.KIND, id)).isPresent();
                        }
                    }));
                }
            }
            for (Future<?> committer : committers) {
                committer.get();
            }
            assertThat(store.view().all(Pet.KIND)).hasSize(400);
        }
        try (MetadataStore store = open()) {
            assertThat(store.view().all(Pet.KIND)).hasSize(400);
        }
    }

    @Test
    void anUpdateSeesAllChangesBeforeIt() throws Exception {
        try (MetadataStore store = open()) {
            store.commit(Change.empty().put(Pet.KIND, CAT));
            try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
                List<Future<Integer>> birthdays = IntStream.range(0, 100)
                        .mapToObj(_ -> threads.submit(() -> store.update(view -> {
                            Pet pet = view.find(Pet.KIND, "1").orElseThrow();
                            Pet older = new Pet("1", pet.name(), pet.age() + 1);
                            return Update.of(Change.empty().put(Pet.KIND, older), older.age());
                        })))
                        .toList();
                Set<Integer> ages = new HashSet<>();
                for (Future<Integer> birthday : birthdays) {
                    ages.add(birthday.get());
                }
                assertThat(ages).hasSize(100);
            }
            assertThat(store.view().find(Pet.KIND, "1")).map(Pet::age).contains(103);
        }
    }

    @Test
    void aCallAfterCloseIsAnExceptionAndViewsStayReadable() {
        MetadataStore store = open();
        store.commit(Change.empty().put(Pet.KIND, CAT));
        store.close();
        store.close();

        assertThatThrownBy(() -> store.commit(Change.empty().put(Pet.KIND, DOG)))
                .isInstanceOf(StorageException.Closed.class)
                .hasMessage("store %s is closed", directory);
        assertThatThrownBy(() -> store.blob("x")).isInstanceOf(StorageException.Closed.class);
        assertThat(store.view().all(Pet.KIND)).containsExactly(CAT);
    }

    @Test
    void closingWhileOthersCommitNeverCrashes() throws Exception {
        MetadataStore store = open();
        List<Future<?>> committers = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int t = 0; t < 4; t++) {
                int thread = t;
                committers.add(threads.submit(() -> {
                    for (int i = 0; ; i++) {
                        String id = thread + "-" + i;
                        store.commit(Change.empty().put(Pet.KIND, new Pet(id, id, i)));
                    }
                }));
            }
            Thread.sleep(50);
            store.close();
        }
        for (Future<?> committer : committers) {
            assertThatThrownBy(committer::get).hasCauseInstanceOf(StorageException.Closed.class);
        }
        int visible = store.view().all(Pet.KIND).size();
        try (MetadataStore again = open()) {
            assertThat(again.view().all(Pet.KIND)).hasSizeGreaterThanOrEqualTo(visible);
        }
    }

    @Test
    void refusesASecondOpenerAndNamesTheFirst() {
        try (MetadataStore _ = open()) {
            for (int i = 0; i < 2; i++) { // a refused attempt does not loosen the lock
                assertThatThrownBy(this::open)
                        .isInstanceOf(StorageException.Locked.class)
                        .hasMessage(
                                "cannot open store %s: process %d holds it; stop that daemon or use another root",
                                directory, ProcessHandle.current().pid());
            }
        }
        open().close();
    }

    @Test
    void setsAsideARowThatCannotBeRead() {
        try (MetadataStore store = open()) {
            store.commit(Change.empty().put(Pet.KIND, CAT).put(Pet.KIND, DOG));
        }
        overwrite("pets", "v1/k8s.io/pets/2", "rubbish");

        try (MetadataStore store = open()) {
            assertThat(store.view().all(Pet.KIND)).containsExactly(CAT);
            assertThat(store.setAside()).map(SetAside::where).containsExactly("v1/k8s.io/pets/2");
            store.commit(Change.empty().put(Pet.KIND, DOG));
        }
        try (MetadataStore store = open()) {
            assertThat(store.setAside()).isEmpty();
            assertThat(store.view().all(Pet.KIND)).containsExactly(CAT, DOG);
        }
    }

    @Test
    void refusesAnotherFormatAndSaysWhoWroteIt() {
        open().close();
        overwrite("meta", "v1/format", "7");
        overwrite("meta", "v1/written-by", "gantry 9.0");

        assertThatThrownBy(this::open)
                .isInstanceOf(StorageException.WrongFormat.class)
                .hasMessageContaining("format 7, written by gantry 9.0");
    }

    @Test
    void refusesKindsThatWereNotRegistered() {
        try (MetadataStore store = MetadataStore.open(directory, List.of())) {
            assertThatThrownBy(() -> store.view().all(Pet.KIND)).isInstanceOf(IllegalArgumentException.class);
        }
        try (MetadataStore store = open()) { // a kind of another program's stays
            store.commit(Change.empty().put(Pet.KIND, CAT));
        }
        MetadataStore.open(directory, List.of()).close();
        try (MetadataStore store = open()) {
            assertThat(store.view().all(Pet.KIND)).containsExactly(CAT);
        }
    }

    @Test
    void nobodyElseMayLookIntoTheDirectory() throws Exception {
        Path inner = directory.resolve("db");
        MetadataStore.open(inner, List.of()).close();

        assertThat(Files.getAttribute(inner, "unix:mode")).isEqualTo(040700);
    }

    private void overwrite(String table, String key, String value) {
        try (Database database = Database.open(directory, Set.of(table))) {
            database.write(List.of(new Database.Row(table, key, value.getBytes(StandardCharsets.UTF_8))));
        }
    }
}
