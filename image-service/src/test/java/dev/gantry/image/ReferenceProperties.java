package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ReferenceProperties {

    @Property
    void readsItsOwnText(@ForAll("names") String text) {
        Reference reference = Reference.parse(text);

        assertThat(Reference.parse(reference.toString())).isEqualTo(reference);
        assertThat(reference.toString()).startsWith(reference.domain() + "/" + reference.path());
    }

    @Property
    void eitherReadsOrRefusesWithItsOwnException(@ForAll String text) {
        try {
            assertThat(Reference.parse(text).path()).doesNotContain("..").isNotEmpty();
        } catch (ImageException.InvalidReference e) {
            assertThat(e.getMessage()).contains(text);
        }
    }

    @Provide
    Arbitrary<String> names() {
        Arbitrary<String> part =
                Arbitraries.strings().withCharRange('a', 'z').ofMinLength(1).ofMaxLength(8);
        Arbitrary<String> domain = Arbitraries.of("", "localhost/", "quay.io/", "10.0.0.1:5000/", "docker.io/");
        Arbitrary<String> suffix =
                Arbitraries.of("", ":1", ":v1.2_x-y", "@sha256:" + "ab".repeat(32), ":t@sha256:" + "ab".repeat(32));
        return Combinators.combine(domain, part, part, suffix)
                .as((registry, first, second, end) -> registry + first + "/" + second + end);
    }
}
