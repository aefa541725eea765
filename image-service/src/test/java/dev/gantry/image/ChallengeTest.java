package dev.gantry.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ChallengeTest {

    @Test
    void readsABearerChallenge() {
        List<Challenge> challenges = Challenge.parse(List.of(
                "Bearer realm=\"https://auth.example/token\",service=\"r\", scope=\"repository:a/b:pull,push\""));

        assertThat(challenges)
                .containsExactly(new Challenge(
                        "bearer",
                        Map.of(
                                "realm",
                                "https://auth.example/token",
                                "service",
                                "r",
                                "scope",
                                "repository:a/b:pull,push")));
    }

    @Test
    void readsSeveralChallengesOfOneHeaderAndOfMany() {
        List<Challenge> challenges =
                Challenge.parse(List.of("Negotiate, Basic realm=\"a \\\"b\\\"\", BEARER Realm=x", "Digest"));

        assertThat(challenges).extracting(Challenge::scheme).containsExactly("negotiate", "basic", "bearer", "digest");
        assertThat(challenges.get(1).parameter("realm")).contains("a \"b\"");
        assertThat(challenges.get(2).parameter("realm")).contains("x");
    }

    @Property
    void endsWithAnyHeader(@ForAll List<String> headers) {
        assertThat(Challenge.parse(headers))
                .allSatisfy(challenge -> assertThat(challenge.scheme()).isNotEmpty());
    }
}
