package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class TerminalSizesProperties {

    private final List<List<Integer>> sizes = new ArrayList<>();
    private final TerminalSizes reader = new TerminalSizes((width, height) -> sizes.add(List.of(width, height)));

    @Property
    void readsSizesHoweverTheyAreCut(
            @ForAll @IntRange(min = 1, max = 65_535) int width,
            @ForAll @IntRange(min = 1, max = 65_535) int height,
            @ForAll @IntRange(min = 1, max = 80) int cut) {
        sizes.clear();
        String text =
                "{\"Width\":%d,\"Height\":%d}\n{\"Height\":%d,\"Width\":%d}".formatted(width, height, width, height);
        for (int from = 0; from < text.length(); from += cut) {
            reader.add(text.substring(from, Math.min(text.length(), from + cut)));
        }

        assertThat(sizes).containsExactly(List.of(width, height), List.of(height, width));
    }

    @Property
    void survivesAnything(@ForAll String text) {
        sizes.clear();
        reader.add(text);
        reader.add("}");
        reader.add("{\"Width\":80,\"Height\":24}");

        assertThat(sizes).last().isEqualTo(List.of(80, 24));
    }

    @Example
    void passesOverSizesThatMakeNoSense() {
        reader.add(
                "{\"Width\":0,\"Height\":24}{\"Width\":80}{\"Width\":70000,\"Height\":1}{\"Width\":\"80\",\"Height\":24}");
        reader.add("{\"Width\":" + "1".repeat(1000) + ",\"Height\":24}[80,24]}");

        assertThat(sizes).isEmpty();
    }
}
