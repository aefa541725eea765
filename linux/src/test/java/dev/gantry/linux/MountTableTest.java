package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MountTableTest {

    @Test
    void readsEveryFieldOfALine() {
        List<MountInfo> table = MountTable.parse(
                "36 35 98:0 /mnt1 /mnt2 rw,noatime shared:7 master:1 - ext3 /dev/root rw,errors=continue\n");

        assertThat(table)
                .containsExactly(new MountInfo(
                        36,
                        35,
                        "/mnt1",
                        Path.of("/mnt2"),
                        Set.of("rw", "noatime"),
                        List.of("shared:7", "master:1"),
                        "ext3",
                        "/dev/root",
                        "rw,errors=continue"));
    }

    @Test
    void readsALineWithoutTags() {
        assertThat(MountTable.parse("1 0 0:1 / / rw - tmpfs tmpfs rw"))
                .singleElement()
                .satisfies(mount -> assertThat(mount.tags()).isEmpty());
    }

    @Test
    void undoesTheKernelsEscapes() {
        assertThat(MountTable.unescape("/a\\040b\\011c\\134d\\12")).isEqualTo("/a b\tc\\d\\12");
    }

    @Test
    void passesOverLinesThatAreCutOff() {
        assertThat(MountTable.parse("36 35 98:0 /mnt1 /mnt2 rw\n\n36 35 98:0 / /x rw - ext3"))
                .isEmpty();
    }

    @Test
    void seesTheMountsOfThisProcess() {
        assertThat(MountTable.of(Path.of("/proc")))
                .get()
                .extracting(MountInfo::type)
                .isEqualTo("proc");
    }
}
