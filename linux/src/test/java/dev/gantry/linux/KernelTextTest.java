package dev.gantry.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class KernelTextTest {

    @Test
    void readsANumber() {
        assertThat(KernelText.of("4096\n").number()).isEqualTo(4096);
        assertThat(KernelText.of("0").number()).isZero();
        assertThat(KernelText.of("-1\n").number()).isEqualTo(-1);
        assertThat(KernelText.of("50000 100000\n").number()).isEqualTo(50000);
    }

    @Test
    void whatHasNoLimitIsTheLargestNumber() {
        assertThat(KernelText.of("max\n").number()).isEqualTo(Long.MAX_VALUE);
        assertThat(KernelText.of("max 100000\n").number()).isEqualTo(Long.MAX_VALUE);
        assertThat(KernelText.of("18446744073709551615\n").number()).isEqualTo(Long.MAX_VALUE);
        assertThat(KernelText.of("9223372036854775807\n").number()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void findsCountersByTheirWholeName() {
        KernelText text = KernelText.of("inactive_file 1\nfile 22\ntotal_file 333\nfile_mapped 4\n");

        long[] counters = text.counters(KernelText.Names.of(List.of("file", "file_mapped", "total_file")));

        assertThat(counters).containsExactly(22, 4, 333);
    }

    @Test
    void aCounterThatIsNotThereIsLessThanNothing() {
        assertThat(KernelText.of("anon 0\n").counters(KernelText.Names.of(List.of("file", "anon"))))
                .containsExactly(-1, 0);
        assertThat(KernelText.of("").counters(KernelText.Names.of(List.of("file"))))
                .containsExactly(-1);
        assertThat(KernelText.of("file\n\n \nfile").counters(KernelText.Names.of(List.of("file"))))
                .containsExactly(-1);
    }
}
