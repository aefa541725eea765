package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonTest {

    @Test
    void readsEveryKindOfValue() {
        Object value = parse("""
                {"text": "a\\u00e9\\ud83d\\ude00", "whole": -7, "large": 18446744073709551615, "part": 1.50,
                 "yes": true, "no": false, "nothing": null, "list": [1, [], {}]}""");

        assertThat(value)
                .asInstanceOf(InstanceOfAssertFactories.map(String.class, Object.class))
                .containsEntry("text", "aé😀")
                .containsEntry("whole", -7L)
                .containsEntry("large", new BigDecimal("18446744073709551615"))
                .containsEntry("part", new BigDecimal("1.50"))
                .containsEntry("yes", true)
                .containsEntry("no", false)
                .containsEntry("nothing", null)
                .containsEntry("list", List.of(1L, List.of(), Map.of()));
    }

    @Test
    void keepsTheOrderOfMembers() {
        String text = "{\"z\":1,\"a\":2,\"m\":[true,null,\"x\"]}";

        assertThat(new String(Json.write(parse(text)), StandardCharsets.UTF_8)).isEqualTo(text);
    }

    @Test
    void putsADocumentIntoAnother() {
        String inner = new String(Json.write(Map.of("a", List.of("é\n", 1L))), StandardCharsets.UTF_8);
        Map<String, Object> outer = new LinkedHashMap<>();
        outer.put("before", new Json.Written(inner));
        outer.put("after", true);

        assertThat(new String(Json.write(outer), StandardCharsets.UTF_8))
                .isEqualTo("{\"before\":{\"a\":[\"é\\n\",1]},\"after\":true}");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    `{"a":1,"a":2}`        | member a stands there twice at line 1
                    `{"a":1} {}`           | something follows its end at line 1
                    ``                     | it is empty
                    `{"a":`                | Unexpected end-of-input
                    `{'a':1}`              | Unexpected character
                    `{"a":NaN}`            | at line 1
                    `[1,]`                 | at line 1
                    `"\\ud800"`            | not valid Unicode
                    `{"\\udc00x":1}`       | low surrogate
                    """)
    void saysWhatIsWrong(String text, String problem) {
        byte[] bytes = text.replace("\\\\", "\\").getBytes(StandardCharsets.UTF_8);

        assertThatThrownBy(() -> Json.parse(bytes, "network configuration 10-x.conf"))
                .isInstanceOf(MalformedDocumentException.class)
                .hasMessageStartingWith("cannot read network configuration 10-x.conf: ")
                .hasMessageContaining(problem);
    }

    @Test
    void refusesDeepNesting() {
        int deep = Json.NESTING_LIMIT + 1;
        assertThat(parse("[".repeat(deep - 1) + "]".repeat(deep - 1))).isInstanceOf(List.class);

        assertThatThrownBy(() -> parse("[".repeat(deep) + "]".repeat(deep)))
                .isInstanceOf(MalformedDocumentException.class)
                .hasMessageContaining("beyond a limit");
        assertThatThrownBy(() -> parse("{\"a\":".repeat(1_000_000))).isInstanceOf(MalformedDocumentException.class);
    }

    @Test
    void refusesWhatIsNotUtf8() {
        assertThatThrownBy(() -> Json.parse(new byte[] {'"', (byte) 0xff, '"'}))
                .isInstanceOf(MalformedDocumentException.class);
        assertThatThrownBy(() -> Json.parse("{\"a\":1}".getBytes(StandardCharsets.UTF_16LE)))
                .isInstanceOf(MalformedDocumentException.class);
    }

    @Test
    void writesOnlyWhatItKnows() {
        assertThatThrownBy(() -> Json.write(Map.of("a", new Object())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("cannot write java.lang.Object as JSON");
    }

    private static @Nullable Object parse(String text) {
        return Json.parse(text.getBytes(StandardCharsets.UTF_8));
    }
}
