package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class VisibleRowsTest {

    private static final Pet CAT = new Pet("1", "cat", 3);
    private static final Pet DOG = new Pet("2", "dog", 4);
    private static final Pet OLD = new Pet("3", "tortoise", 103);
    private static final Kind<String> OTHER = new Kind<>("others", it -> it, new Codec<>() {
        @Override
        public byte[] encode(String text) {
            return new byte[0];
        }

        @Override
        public String decode(byte[] bytes) {
            return "";
        }
    });

    private View view = View.of(0, List.of(Table.empty(Pet.KIND), Table.empty(OTHER)));
    private final VisibleRows<Pet> rows = new VisibleRows<>(() -> view, Pet.KIND, pet -> pet.age() < 100);

    private void commit(Change change) {
        view = view.after(change);
    }

    @Test
    void listsWhatIsInAStateForIt() {
        commit(Change.empty().put(Pet.KIND, DOG).put(Pet.KIND, CAT).put(Pet.KIND, OLD));

        assertThat(rows.list()).containsExactly(CAT, DOG);
        assertThat(rows.isVisible(OLD)).isFalse();
    }

    @Test
    void listsNothingThatIsHidden() {
        rows.hide("2");
        commit(Change.empty().put(Pet.KIND, CAT).put(Pet.KIND, DOG));
        assertThat(rows.list()).containsExactly(CAT);
        assertThat(rows.isVisible(DOG)).isFalse();

        rows.show("2");
        assertThat(rows.list()).containsExactly(CAT, DOG);

        rows.hide("1");
        assertThat(rows.list()).containsExactly(DOG);
    }

    @Test
    void isTheSameListUntilSomethingHasChanged() {
        commit(Change.empty().put(Pet.KIND, CAT));
        List<Pet> first = rows.list();

        assertThat(rows.list()).isSameAs(first);
        commit(Change.empty().put(OTHER, "something else"));
        assertThat(rows.list()).as("after a commit of another kind").isSameAs(first);
        rows.hide("7");
        assertThat(rows.list()).as("after hiding what is not there").isSameAs(first);

        commit(Change.empty().put(Pet.KIND, new Pet("1", "cat", 4)));
        assertThat(rows.list()).extracting(Pet::age).containsExactly(4);
        commit(Change.empty().delete(Pet.KIND, "1"));
        assertThat(rows.list()).isEmpty();
    }
}
