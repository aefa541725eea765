package dev.gantry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gantry.cri.oci.Json;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

class DocumentsTest {

    @Test
    void nestsListsAndObjects() {
        Object value = List.of(Map.of("a", List.of(Map.of("b", 1), "c")), List.of(), Map.of());

        assertThat(Documents.json(value)).isEqualTo("""
                        [
                          {
                            "a": [
                              {
                                "b": 1
                              },
                              "c"
                            ]
                          },
                          [],
                          {}
                        ]
                        """);
        assertThat(Documents.yaml(value)).isEqualTo("""
                        - a:
                            - b: 1
                            - c
                        - []
                        - {}
                        """);
    }

    @Property(tries = 50)
    void yamlIsReadBackAsItWas(@ForAll Map<String, List<String>> value) {
        Map<String, List<String>> printable = Collections.unmodifiableMap(value);
        if (value.toString().codePoints().anyMatch(c -> (c >= 0xd800 && c < 0xe000) || c >= 0xfffe)) {
            return; // no text can hold these
        }

        Object read = new Load(LoadSettings.builder().build()).loadFromString(Documents.yaml(printable));

        assertThat(read).isEqualTo(value);
    }

    @Property(tries = 50)
    void jsonIsReadBackAsItWas(@ForAll Map<String, List<String>> value) {
        if (value.toString().codePoints().anyMatch(c -> c >= 0xd800 && c < 0xe000)) {
            return;
        }

        assertThat(Json.parse(Documents.json(value).getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(value);
    }
}
