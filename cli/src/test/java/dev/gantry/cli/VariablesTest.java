package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VariablesTest {

    private static final Map<String, String> DEFINED = Map.of("A", "one", "B", "$(A)", "EMPTY", "");

    @ParameterizedTest
    @CsvSource({
        "plain, plain",
        "$(A), one",
        "x$(A)y$(A), xoney" + "one",
        "$(B), $(A)",
        "$(EMPTY)., .",
        "$(NONE), $(NONE)",
        "$$(A), $(A)",
        "$$$(A), $one",
        "$A, $A",
        "$, $",
        "$(A, $(A",
        "$(), $()",
        "$(A)), one)",
    })
    void expandsAsKubernetesDoes(String text, String expected) {
        assertThat(Variables.expand(text, DEFINED)).isEqualTo(expected);
    }

    @Property
    void textWithoutDollarsStays(@ForAll @CharRange(from = '%', to = '~') String text) {
        assertThat(Variables.expand(text, DEFINED)).isEqualTo(text);
    }

    @Property
    void doubledDollarsProtectAnything(@ForAll @StringLength(max = 20) String text) {
        assertThat(Variables.expand(text.replace("$", "$$"), DEFINED)).isEqualTo(text);
    }
}
