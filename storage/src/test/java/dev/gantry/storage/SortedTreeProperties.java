package dev.gantry.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

class SortedTreeProperties {

    @Property(tries = 300)
    void doesWhatASortedMapDoes(
            @ForAll @Size(max = 200) List<@CharRange(from = 'a', to = 'd') @StringLength(max = 4) String> puts,
            @ForAll @Size(max = 200) List<@CharRange(from = 'a', to = 'd') @StringLength(max = 4) String> removals,
            @ForAll @CharRange(from = 'a', to = 'd') @StringLength(max = 2) String prefix) {
        SortedTree<Integer> tree = SortedTree.empty();
        TreeMap<String, Integer> map = new TreeMap<>();
        for (int i = 0; i < puts.size(); i++) {
            tree = tree.with(puts.get(i), i);
            map.put(puts.get(i), i);
        }
        SortedTree<Integer> full = tree;
        List<Integer> before = List.copyOf(map.values());
        for (String key : removals) {
            tree = tree.without(key);
            map.remove(key);
        }

        assertThat(tree.values()).containsExactlyElementsOf(map.values());
        assertThat(tree.size()).isEqualTo(map.size());
        assertThat(full.values()).containsExactlyElementsOf(before);
        puts.forEach(key -> assertThat(full.get(key)).isNotNull());
        assertThat(tree.withPrefix(prefix))
                .containsExactlyElementsOf(map.subMap(prefix, prefix + "\uffff").values());
    }

    @Property(tries = 5)
    void staysFlatWhenKeysComeSorted() {
        SortedTree<Integer> tree = SortedTree.empty();
        for (int i = 0; i < 100_000; i++) {
            tree = tree.with("%06d".formatted(i), i);
        }

        assertThat(tree.height()).isLessThan(25);
    }
}
