package dev.gantry.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class CpuSharesTest {

    @Test
    void weighAsTheEndsAndTheUsualValueSay() {
        assertThat(List.of(0L, 2L, 1024L, 262_144L, 1_000_000L))
                .extracting(CpuShares::weight)
                .containsExactly(1L, 1L, 100L, 10_000L, 10_000L);
    }

    @Test
    void comeBackFromTheWeight() {
        assertThat(List.of(0L, 1L, 100L, 10_000L, 20_000L))
                .extracting(CpuShares::ofWeight)
                .containsExactly(2L, 2L, 1024L, 262_144L, 262_144L);
        assertThat(LongStream.rangeClosed(1, 10_000))
                .allSatisfy(it -> assertThat(CpuShares.weight(CpuShares.ofWeight(it)))
                        .as("weight %d", it)
                        .isEqualTo(it));
    }
}
