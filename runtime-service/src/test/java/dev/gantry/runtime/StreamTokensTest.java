package dev.gantry.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StreamTokensTest {

    private static final StreamRequest REQUEST = new StreamRequest.PortForward("pod", List.of(80));

    private Instant now = Instant.EPOCH;
    private final StreamTokens tokens = new StreamTokens(clock());

    private Clock clock() {
        InstantSource source = () -> now;
        return source.withZone(ZoneOffset.UTC);
    }

    @Test
    void worksOnce() {
        String token = tokens.issue(REQUEST);

        assertThat(tokens.redeem(token)).contains(REQUEST);
        assertThat(tokens.redeem(token)).isEmpty();
        assertThat(tokens.redeem("")).isEmpty();
    }

    @Test
    void worksForAMinute() {
        String early = tokens.issue(REQUEST);
        now = now.plusSeconds(1);
        String late = tokens.issue(REQUEST);
        now = Instant.EPOCH.plus(StreamTokens.LIFE);

        assertThat(tokens.redeem(early)).isEmpty();
        assertThat(tokens.redeem(late)).contains(REQUEST);
    }

    @Test
    void keepsNoMoreThanItsBoundUntilTheOldOnesExpire() {
        Set<String> issued = new HashSet<>();
        for (int i = 0; i < StreamTokens.MOST; i++) {
            issued.add(tokens.issue(REQUEST));
        }

        assertThat(issued).hasSize(StreamTokens.MOST).allMatch(it -> it.matches("[A-Za-z0-9_-]{22}"));
        assertThatThrownBy(() -> tokens.issue(REQUEST)).isInstanceOf(ContainerException.TooMany.class);
        now = now.plus(StreamTokens.LIFE).plus(Duration.ofSeconds(1));
        assertThat(tokens.redeem(tokens.issue(REQUEST))).contains(REQUEST);
    }
}
