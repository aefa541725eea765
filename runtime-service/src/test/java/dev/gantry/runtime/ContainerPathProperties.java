package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ContainerPathProperties {

    @Property
    void aCleanPathHasNoPartThatLeadsElsewhere(@ForAll("paths") String path) {
        String clean = ContainerPath.of("path", path).value();

        assertThat(clean).startsWith("/");
        if (!clean.equals("/")) {
            assertThat(List.of(clean.substring(1).split("/", -1))).doesNotContain("", ".", "..");
        }
    }

    @Property
    void cleaningTwiceChangesNothing(@ForAll("paths") String path) {
        ContainerPath once = ContainerPath.of("path", path);

        assertThat(ContainerPath.of("path", once.value())).isEqualTo(once);
    }

    @Property
    void whatIsAppendedWithoutDotsLiesBelow(@ForAll("paths") String path) {
        ContainerPath parent = ContainerPath.of("path", path);

        assertThat(ContainerPath.of("path", path + "/x").isBelow(parent)).isTrue();
    }

    @Provide
    Arbitrary<String> paths() {
        return Arbitraries.of("", ".", "..", "a", "b.c", "...", " ")
                .list()
                .ofMaxSize(8)
                .map(parts -> "/" + String.join("/", parts));
    }
}
