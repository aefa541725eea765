package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CpuWindowTest {

    private static final long SECOND = 1_000_000_000;

    private final CpuWindow window = new CpuWindow();

    @Test
    void tellsNothingWithoutASample() {
        assertThat(window.rate(10 * SECOND, SECOND)).isEmpty();
    }

    @Test
    void tellsWhatWasUsedSinceTheNewestSample() {
        window.add(0, 0);
        window.add(5 * SECOND, 5 * SECOND);

        assertThat(window.rate(7 * SECOND, 6 * SECOND)).hasValue(SECOND / 2);
    }

    @Test
    void looksFurtherBackWhenTheNewestSampleIsTooYoung() {
        window.add(0, 0);
        window.add(5 * SECOND, 5 * SECOND);

        assertThat(window.rate(5 * SECOND + 1, 5 * SECOND)).hasValue(SECOND - 1);
    }

    @Test
    void samplesInShortOrderCountAsOne() {
        window.add(0, 0);
        window.add(1, SECOND);

        assertThat(window.rate(2 * SECOND, SECOND)).hasValue(SECOND / 2);
    }

    @Test
    void tellsNothingWhenTheFigureWentBack() {
        window.add(0, SECOND);

        assertThat(window.rate(2 * SECOND, 0)).isEmpty();
    }
}
