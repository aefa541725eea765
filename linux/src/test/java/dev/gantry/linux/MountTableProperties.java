package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class MountTableProperties {

    @Property(tries = 300)
    void findsAnyPathAgain(@ForAll("paths") String path) {
        String line = "36 35 98:0 / %s rw shared:1 - tmpfs tmpfs rw".formatted(escape(path));

        assertThat(MountTable.parse(line)).extracting(MountInfo::target).containsExactly(Path.of(path));
    }

    @Property(tries = 300)
    void neverFailsOnTextWithoutNumbers(@ForAll("garbage") String text) {
        List<MountInfo> table = MountTable.parse(text);

        assertThat(table).isEmpty();
    }

    @Provide
    Arbitrary<String> paths() {
        return Arbitraries.strings()
                .withChars("ab \t\n\\07é.-")
                .ofMinLength(1)
                .ofMaxLength(20)
                .map(name -> "/" + name);
    }

    @Provide
    Arbitrary<String> garbage() {
        return Arbitraries.strings().withChars("ab \\\t\n0").ofMaxLength(40);
    }

    private static String escape(String path) {
        return path.replace("\\", "\\134")
                .replace(" ", "\\040")
                .replace("\t", "\\011")
                .replace("\n", "\\012");
    }
}
