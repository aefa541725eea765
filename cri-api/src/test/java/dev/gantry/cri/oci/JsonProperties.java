package dev.gantry.cri.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class JsonProperties {

    @Property(tries = 300)
    void readsWhatItWrites(@ForAll("values") Object value) {
        assertThat(Json.parse(Json.write(value))).isEqualTo(value);
    }

    @Property
    void refusesOrReadsAnyBytesButNeverFailsOtherwise(@ForAll byte[] bytes) {
        try {
            Object value = Json.parse(bytes);
            assertThat(Json.parse(Json.write(value))).isEqualTo(value);
        } catch (MalformedDocumentException e) {
            assertThat(e).hasMessageStartingWith("cannot read JSON document: ");
        }
    }

    @Provide
    Arbitrary<Object> values() {
        return Arbitraries.lazyOf(
                () -> Arbitraries.of(true, false, List.of()),
                () -> Arbitraries.longs().map(number -> (Object) number),
                () -> Arbitraries.doubles()
                        .map(number -> (Object) BigDecimal.valueOf(number).add(new BigDecimal("0.00000001"))),
                () -> texts().map(text -> (Object) text),
                () -> values().list().ofMaxSize(4).map(list -> (Object) list),
                () -> Arbitraries.maps(texts(), values()).ofMaxSize(4).map(map -> (Object) map));
    }

    static Arbitrary<String> texts() {
        return Arbitraries.strings()
                .withCharRange((char) 0, (char) 0xd7ff)
                .withCharRange((char) 0xe000, (char) 0xffff)
                .ofMaxLength(20);
    }
}
