package dev.gantry.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FiguresTest {

    @Test
    void takesTheMiddleOfTheSamples() {
        assertThat(Figures.median(List.of(3.0, 1.0, 2.0))).isEqualTo(2.0);
        assertThat(Figures.median(List.of(4.0, 1.0, 2.0, 3.0))).isEqualTo(2.5);
    }

    @Test
    void takesTheSampleThatNineInTenDoNotExceed() {
        assertThat(Figures.percentile(List.of(10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0), 0.9))
                .isEqualTo(9.0);
        assertThat(Figures.percentile(List.of(7.0), 0.9)).isEqualTo(7.0);
    }

    @Test
    void printsOurMedianByTheirs() {
        Figures figures = new Figures("ms", List.of("ours", "theirs"));
        figures.add("Call", "ours", 5);
        figures.add("Call", "theirs", 10);

        assertThat(figures.toString().lines().toList().getLast())
                .isEqualTo("%-26s %4d %12.1f %8.1f %12.1f %8.1f %6.2f".formatted("Call", 1, 5.0, 5.0, 10.0, 10.0, 0.5));
    }

    @Test
    void readsTheStepsThatTheDaemonLogs() {
        List<String> log = List.of(
                "10:00:00.001 DEBUG steps of StartContainer: total=900 start=100 id=a",
                "10:00:00.002 DEBUG something else",
                "10:00:00.003 DEBUG id=b steps of StartContainer: total=1200 start=800");

        assertThat(Steps.read(log, 1))
                .isEqualTo(Map.of("StartContainer", Map.of("total", List.of(1.2), "start", List.of(0.8))));
    }
}
