package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RollbackTest {

    private final List<String> done = new ArrayList<>();

    @Test
    void undoesTheLastStepFirst() {
        Rollback rollback = new Rollback();
        rollback.onFailure(() -> done.add("first"));
        rollback.onFailure(() -> done.add("second"));

        boolean clean = rollback.undo(new RuntimeException("why"));

        assertThat(clean).isTrue();
        assertThat(done).containsExactly("second", "first");
    }

    @Test
    void goesOnWhenAnUndoingFailsAndKeepsItsFailure() {
        RuntimeException why = new RuntimeException("why");
        RuntimeException stuck = new RuntimeException("stuck");
        Rollback rollback = new Rollback();
        rollback.onFailure(() -> done.add("first"));
        rollback.onFailure(() -> {
            throw stuck;
        });

        boolean clean = rollback.undo(why);

        assertThat(clean).isFalse();
        assertThat(done).containsExactly("first");
        assertThat(why.getSuppressed()).containsExactly(stuck);
    }

    @Test
    void aPartThatCannotBeUndoneMakesTheWholeUnclean() {
        Rollback part = new Rollback();
        part.onFailure(() -> {
            throw new IllegalStateException("stuck");
        });
        Rollback whole = new Rollback();
        whole.onFailure(part);

        assertThat(whole.undo(new RuntimeException("why"))).isFalse();
    }

    @Test
    void undoesEachStepOnce() {
        Rollback rollback = new Rollback();
        rollback.onFailure(() -> done.add("step"));

        rollback.undo(new RuntimeException("why"));
        rollback.undo(new RuntimeException("again"));

        assertThat(done).containsExactly("step");
    }
}
